// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GateTest {
    private static final int BATCH = 64;
    private static final int WRONG_ROW = 77;

    private static final int COUNT = 4;

    private final Contestant floor = new Scripted(BATCH);
    private final Gate gate = new Gate(rows(), 1e-5);

    @Test
    void shouldLetPassWhoAnswersLikeTheFloor() {
        assertThatCode(() -> gate.check("twin", new Scripted(BATCH), floor, BATCH, COUNT))
                .doesNotThrowAnyException();
    }

    @Test
    void shouldRefuseWhenOneAnswerIsWrong() {
        Contestant wrong = new Scripted(BATCH) {
            @Override
            float answerTo(int row) {
                return row == WRONG_ROW ? 12.5f : super.answerTo(row);
            }
        };

        assertThatThrownBy(() -> gate.check("liar", wrong, floor, BATCH, COUNT))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContainingAll("liar, batch 64", "row 77", "12.5", Float.toString(answerTo(WRONG_ROW)));
    }

    @Test
    void shouldRefuseWhenOneBitDiffersInTheSameBatch() {
        Contestant off = new OneBitOff(true);

        assertThatThrownBy(() -> gate.check("off", off, floor, BATCH, COUNT))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContaining("the same bits");
    }

    @Test
    void shouldBearLastBitsWhenBatchesWereSplit() {
        assertThatCode(() -> gate.check("split", new OneBitOff(false), floor, BATCH, COUNT))
                .doesNotThrowAnyException();
    }

    @Test
    void shouldRefuseWhenTheWholeBatchDiffersFromRowsAlone() {
        Contestant drifting = new Scripted(BATCH) {
            @Override
            float answerTo(int row) {
                return super.answerTo(row) * 1.0001f;
            }
        };

        assertThatThrownBy(() -> gate.check("drifting", drifting, drifting, BATCH, COUNT))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContaining("from the row alone");
    }

    @Test
    void shouldRefuseWhenAnAnswerIsNotANumber() {
        Contestant broken = new Scripted(BATCH) {
            @Override
            float answerTo(int row) {
                return Float.NaN;
            }
        };

        assertThatThrownBy(() -> gate.check("broken", broken, broken, BATCH, COUNT))
                .isInstanceOf(Gate.Refusal.class);
    }

    @Test
    void shouldRefuseWhoFails() {
        Contestant failing = new Scripted(BATCH) {
            @Override
            public void run(int index) {
                throw new IllegalStateException("no engine");
            }
        };

        assertThatThrownBy(() -> gate.check("failing", failing, floor, BATCH, COUNT))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContainingAll("failing, batch 64", "no engine");
    }

    @Test
    void shouldRefuseWhoLeavesAnOldAnswer() {
        Contestant stale = new Scripted(BATCH) {
            @Override
            public void run(int index) {
                super.run(0);
            }
        };

        assertThatThrownBy(() -> gate.check("stale", stale, floor, BATCH, COUNT))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContaining("row " + BATCH);
    }

    @Test
    void shouldRefuseAnotherShape() {
        Contestant flat = new Scripted(BATCH) {
            @Override
            public List<Value> answers() {
                Value value = super.answers().getFirst();
                return List.of(new Value(value.name(), value.datatype(), new long[] {BATCH}, value.array()));
            }
        };

        assertThatThrownBy(() -> gate.check("flat", flat, floor, BATCH, COUNT))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContainingAll("'score'", "[64]", "[64, 1]");
    }

    @Test
    void shouldRefuseWhenAnOutputIsMissing() {
        Contestant silent = new Scripted(BATCH) {
            @Override
            public List<Value> answers() {
                return List.of();
            }
        };

        assertThatThrownBy(() -> gate.check("silent", silent, floor, BATCH, COUNT))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContaining("0 outputs, the floor 1");
    }

    private static float answerTo(int row) {
        return new Scripted(1).answerTo(row);
    }

    private static List<List<Value>> rows() {
        Scripted alone = new Scripted(1);
        return IntStream.range(0, COUNT * BATCH)
                .mapToObj(row -> {
                    alone.run(row);
                    return alone.answers();
                })
                .toList();
    }

    private static final class OneBitOff extends Scripted {
        private final boolean whole;

        OneBitOff(boolean whole) {
            super(BATCH);
            this.whole = whole;
        }

        @Override
        float answerTo(int row) {
            return Math.nextUp(super.answerTo(row));
        }

        @Override
        public boolean ranWhole() {
            return whole;
        }
    }

    /// Answers each row with a number of its own.
    private static class Scripted implements Contestant {
        private final int batch;
        private int first;

        Scripted(int batch) {
            this.batch = batch;
        }

        float answerTo(int row) {
            return 1 + row / 8f;
        }

        @Override
        public void run(int index) {
            first = index * batch;
        }

        @Override
        public List<Value> answers() {
            float[] scores = new float[batch];
            for (int i = 0; i < batch; i++) {
                scores[i] = answerTo(first + i);
            }
            return List.of(new Value("score", DataType.FP32, new long[] {batch, 1}, scores));
        }

        @Override
        public void close() {}
    }
}
