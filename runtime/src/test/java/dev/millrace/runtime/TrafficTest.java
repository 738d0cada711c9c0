// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.plan.LaneSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Many threads of every kind against one lane, and a close in the middle of it: every request has one end, every
/// answer is the answer to its own input, and no memory is left.
class TrafficTest {
    /// A lane under traffic.
    enum Subject {
        FAKE,
        FAKE_WITH_A_DEVICE,
        FAKE_THAT_WAITS,
        FAKE_WITH_A_DEVICE_THAT_WAITS,
        ROWS,
        ROWS_THAT_WAIT,
        ONE_ROW,
        TENSORS
    }

    private static final int SHORT = 5_000;
    private static final int LONG = 400_000;

    @TempDir
    Path root;

    @ParameterizedTest
    @EnumSource
    void shouldAnswerEachOnceWhenManyAsk(Subject subject) throws Exception {
        attack(subject, 1, SHORT);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("stress")
    @Timeout(600)
    void shouldAnswerEachOnceWhenManyAskForLong(Subject subject) throws Exception {
        attack(subject, 2, LONG);
    }

    private void attack(Subject subject, long seed, int requests) throws Exception {
        long before = NativeMemory.used();
        try (Traffic.Target target = open(subject, seed)) {
            new Traffic(target, seed, requests).run();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(subject + " seed " + seed, e);
        }
        assertThat(NativeMemory.used()).as("%s seed %d", subject, seed).isEqualTo(before);
    }

    private Traffic.Target open(Subject subject, long seed) {
        Path repository = root.resolve(subject + "-" + seed);
        return switch (subject) {
            case FAKE -> new Fake(false, false);
            case FAKE_WITH_A_DEVICE -> new Fake(true, false);
            case FAKE_THAT_WAITS -> new Fake(false, true);
            case FAKE_WITH_A_DEVICE_THAT_WAITS -> new Fake(true, true);
            case ROWS -> new Real(repository, "two_inputs", ModelConfig.DEFAULT);
            case ROWS_THAT_WAIT ->
                new Real(
                        repository,
                        "two_inputs",
                        ModelConfig.DEFAULT
                                .withMaxQueueDelay(Duration.ofNanos(100_000))
                                .withPreferredBatchSizes(4, 12)
                                .withInstanceCount(2));
            case ONE_ROW -> new Real(repository, "fixed_batch", ModelConfig.DEFAULT);
            case TENSORS -> new Real(repository, "variable_shapes", ModelConfig.DEFAULT);
        };
    }

    /// A lane over arithmetic, with its own threads.
    private static final class Fake implements Traffic.Target {
        private static final int CAPACITY = 64;

        private final AgentPool agents = new AgentPool(2);
        private final Sweeper sweeper = new Sweeper(System::nanoTime);
        private final StressBackend backend;
        private final Lane lane;

        Fake(boolean device, boolean waits) {
            backend = new StressBackend(CAPACITY, device);
            LaneSpec spec = new LaneSpec("fake", 1, Rig.SIGNATURE, Batching.Kind.ROWS, 16, CAPACITY, device ? 3 : 1);
            BatchPolicy policy = waits ? new BatchPolicy(CAPACITY, 16, List.of(3, 8), 100_000) : null;
            lane = new Lane(spec, () -> policy, true, backend, agents, sweeper, System::nanoTime);
            backend.lane = lane;
            agents.add(lane);
            sweeper.add(lane);
            agents.start();
            sweeper.start();
        }

        @Override
        public Call call() {
            return new Call(lane, 50_000);
        }

        @Override
        public Turner turner() {
            return new Turner(50_000);
        }

        @Override
        public int maxRows() {
            return CAPACITY;
        }

        @Override
        public void fill(Call call, int rows, int value) {
            call.rows(rows);
            for (int i = 0; i < rows; i++) {
                call.input(0).setFloat(i, value + i);
            }
        }

        @Override
        public void poison(Call call) {
            call.input(0).setFloat(0, StressBackend.POISON);
        }

        @Override
        public String wrong(Call call, int rows, int value) {
            for (int i = 0; i < rows; i++) {
                float expected = FakeBackend.answer(value + i);
                if (call.output(0).getFloat(i) != expected) {
                    return "row " + i + " is " + call.output(0).getFloat(i) + ", expected " + expected;
                }
            }
            return backend.violation.get();
        }

        @Override
        public LaneStatistics statistics() {
            return lane.statistics();
        }

        @Override
        public void shutDown() {
            lane.refuse();
            assertThat(lane.drain(60_000_000_000L)).isTrue();
            lane.abandon();
            lane.close();
            agents.close();
            sweeper.close();
            assertThat(backend.violation.get()).isNull();
        }

        @Override
        public void close() {}
    }

    /// A lane over ONNX Runtime, through the front door.
    private static final class Real implements Traffic.Target {
        private final Millrace millrace;
        private final Model model;
        private final String name;
        private final List<Call> extra = new ArrayList<>();

        Real(Path root, String name, ModelConfig model) {
            this.name = name;
            RuntimeConfig config = RuntimeConfig.DEFAULT
                    .withAgents(2)
                    .withQueueRows(64)
                    .withMaxBatch(16)
                    .withModel(name, model)
                    .withDrainTimeout(Duration.ofMinutes(1));
            millrace = Millrace.open(config, TestModels.repository(root, name));
            this.model = millrace.model(name);
        }

        @Override
        public Call call() {
            return model.call();
        }

        @Override
        public Turner turner() {
            return millrace.turner();
        }

        @Override
        public int maxRows() {
            return name.equals("fixed_batch") ? 1 : 64;
        }

        @Override
        public void fill(Call call, int rows, int value) {
            Tensor first = call.input(0);
            first.reshape(rows, 4);
            for (int i = 0; i < rows * 4; i++) {
                first.setFloat(i, value + i);
            }
            if (name.equals("two_inputs")) {
                Tensor second = call.input(1).reshape(rows, 1);
                for (int i = 0; i < rows; i++) {
                    second.setLong(i, i);
                }
            }
        }

        @Override
        public void poison(Call call) {}

        @Override
        public String wrong(Call call, int rows, int value) {
            for (int i = 0; i < rows * 4; i++) {
                float expected = switch (name) {
                    case "two_inputs" -> value + i + i / 4;
                    case "fixed_batch" -> value + i + 1 + i % 4;
                    default -> 2 * (value + i);
                };
                float came = call.output(0).getFloat(i);
                if (came != expected) {
                    return "element " + i + " is " + came + ", expected " + expected;
                }
            }
            return null;
        }

        @Override
        public LaneStatistics statistics() {
            return millrace.statistics().getFirst();
        }

        @Override
        public void shutDown() {
            millrace.close();
        }

        @Override
        public void close() {
            extra.forEach(Call::close);
        }
    }
}
