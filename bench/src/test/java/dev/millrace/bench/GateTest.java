// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class GateTest {
    private static final int BATCH = 64;
    private static final int WRONG_ROW = 77;

    private final Contestant alone = new Scripted(1);
    private final Contestant floor = new Scripted(BATCH);
    private final Gate gate = new Gate(1, alone);

    @Test
    void shouldLetPassWhoAnswersLikeTheFloor() {
        assertThatCode(() -> gate.check("twin", new Scripted(BATCH), floor, BATCH))
                .doesNotThrowAnyException();
        assertThat(gate.expected()).hasSize(Rows.COUNT).startsWith(answerTo(0), answerTo(1));
    }

    @Test
    void shouldRefuseWhenOneAnswerIsWrong() {
        Contestant wrong = new Scripted(BATCH) {
            @Override
            float answerTo(int row) {
                return row == WRONG_ROW ? 12.5f : super.answerTo(row);
            }
        };

        assertThatThrownBy(() -> gate.check("liar", wrong, floor, BATCH))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContainingAll("liar, batch 64", "row 77", "12.5", Float.toString(answerTo(WRONG_ROW)));
    }

    @Test
    void shouldRefuseWhenOneBitDiffersInTheSameBatch() {
        Contestant off = new OneBitOff(true);

        assertThatThrownBy(() -> gate.check("off", off, floor, BATCH))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContaining("the same bits");
    }

    @Test
    void shouldBearLastBitsWhenBatchesWereSplit() {
        assertThatCode(() -> gate.check("split", new OneBitOff(false), floor, BATCH))
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

        assertThatThrownBy(() -> gate.check("drifting", drifting, drifting, BATCH))
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

        assertThatThrownBy(() -> gate.check("broken", broken, broken, BATCH)).isInstanceOf(Gate.Refusal.class);
    }

    @Test
    void shouldRefuseWhoFails() {
        Contestant failing = new Scripted(BATCH) {
            @Override
            public void run(int index) {
                throw new IllegalStateException("no engine");
            }
        };

        assertThatThrownBy(() -> gate.check("failing", failing, floor, BATCH))
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

        assertThatThrownBy(() -> gate.check("stale", stale, floor, BATCH))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContaining("row " + BATCH);
    }

    private static float answerTo(int row) {
        return new Scripted(1).answerTo(row);
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
        public float answer(int element) {
            return answerTo(first + element);
        }

        @Override
        public void close() {}
    }
}
