// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The law of conservation for an ensemble and the lanes of its steps, under deadlines, cancellations, priorities, full
/// queues, steps that fail, breakers and a close, at random. How threads meet is not drawn; the law holds anyway.
class EnsembleTrafficTest {
    private static final int REQUESTS = 150;
    private static final int TABLE = 4;
    private static final String ENSEMBLE = "both";

    @TempDir
    private Path root;

    /// Two steps one after the other, and a third beside them: `twice` is `row` + 2 `index`, `value` is looked up.
    private void write() throws IOException {
        TestModels.repository(root, "two_inputs", "fails_on_index");
        Path folder =
                Files.createDirectories(root.resolve(ENSEMBLE).resolve("1")).getParent();
        Files.writeString(folder.resolve("model.yaml"), """
            platform: ensemble
            max_batch_size: 8
            input:
              - { name: row, data_type: TYPE_FP32, dims: [4] }
              - { name: index, data_type: TYPE_INT64, dims: [1] }
            output:
              - { name: twice, data_type: TYPE_FP32, dims: [4] }
              - { name: value, data_type: TYPE_FP32, dims: [1] }
            ensemble_scheduling:
              step:
                - model_name: two_inputs
                  input_map: { a: once, b: index }
                  output_map: { sum: twice }
                - model_name: two_inputs
                  input_map: { a: row, b: index }
                  output_map: { sum: once }
                - model_name: fails_on_index
                  input_map: { x: index }
                  output_map: { y: value }
            """);
    }

    /// What was told in all cases together: each has to be there, or nothing was tested.
    private final Map<Outcome, Long> told = new EnumMap<>(Outcome.class);

    @Test
    void shouldTellEachAcceptedRequestOnceWhateverHappensToItsSteps() throws IOException {
        check(0, 12);
    }

    @Test
    @Tag("slow")
    void shouldTellEachAcceptedRequestOnceInManyCases() throws IOException {
        check(12, 120);
    }

    private void check(int first, int end) throws IOException {
        write();
        long held = NativeMemory.used(MemoryTag.CALL);
        for (int seed = first; seed < end; seed++) {
            try {
                new Case(new SplittableRandom(seed)).check();
                assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(held);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(told)
                .containsKeys(Outcome.OK, Outcome.FAILED, Outcome.EXPIRED, Outcome.CANCELLED, Outcome.OVERLOADED);
    }

    private final class Case {
        private final SplittableRandom random;
        private final List<CompletableFuture<Prediction>> answers = new ArrayList<>();
        private final List<float[]> expected = new ArrayList<>();
        private final List<Boolean> cancelled = new ArrayList<>();
        private long refusedAtOnce;

        Case(SplittableRandom random) {
            this.random = random;
        }

        void check() {
            Millrace millrace = Millrace.open(config(), root);
            try {
                Model model = millrace.model(ENSEMBLE);
                for (int i = 0; i < REQUESTS; i++) {
                    submit(model);
                    if (random.nextInt(6) == 0) {
                        cancelOne();
                    }
                    if (random.nextInt(20) == 0) {
                        end(answers.getLast());
                    }
                }
                if (random.nextBoolean()) {
                    answers.forEach(this::end);
                }
            } finally {
                millrace.close();
            }
            checkAnswers(millrace);
            checkLanes(millrace);
        }

        private RuntimeConfig config() {
            ModelConfig step = ModelConfig.DEFAULT
                    .withMaxBatchSize(8)
                    .withMaxQueueSize(8 << random.nextInt(4))
                    .withPriorities(2, 2)
                    .withBreakerFailures(random.nextBoolean() ? 0 : 5);
            ModelConfig ensemble = ModelConfig.DEFAULT
                    .withMaxQueueSize(8 << random.nextInt(4))
                    .withPriorities(3, 2)
                    .withInstanceCount(random.nextInt(1, 9));
            return RuntimeConfig.DEFAULT
                    .withAgents(random.nextInt(1, 3))
                    .withModel("two_inputs", step)
                    .withModel("fails_on_index", step)
                    .withModel(ENSEMBLE, ensemble);
        }

        private void submit(Model model) {
            int rows = random.nextInt(1, 4);
            float[] row = new float[4 * rows];
            long[] index = new long[rows];
            float[] answer = new float[4 * rows];
            for (int i = 0; i < rows; i++) {
                index[i] = random.nextInt(12) == 0 ? TABLE + 5 : random.nextInt(TABLE);
                for (int column = 0; column < 4; column++) {
                    row[4 * i + column] = random.nextInt(100);
                    answer[4 * i + column] = row[4 * i + column] + 2 * index[i];
                }
            }
            Request request = model.request()
                    .set("row", new long[] {rows, 4}, row)
                    .set("index", new long[] {rows, 1}, index)
                    .priority(random.nextInt(4))
                    .timeout(timeout());
            expected.add(answer);
            cancelled.add(false);
            answers.add(model.predictAsync(request));
            refusedAtOnce += answers.getLast().isCompletedExceptionally() ? 1 : 0;
        }

        private Duration timeout() {
            return switch (random.nextInt(8)) {
                case 0 -> Duration.ofNanos(random.nextInt(1, 400_000));
                case 1 -> Duration.ZERO;
                case 2 -> Duration.ofSeconds(30);
                default -> null;
            };
        }

        private void cancelOne() {
            int which = random.nextInt(answers.size());
            if (answers.get(which).cancel(true)) {
                cancelled.set(which, true);
            }
        }

        /// How a request ended for who asked.
        private Outcome end(CompletableFuture<Prediction> answer) {
            try {
                answer.join();
                return Outcome.OK;
            } catch (CancellationException _) {
                return Outcome.CANCELLED;
            } catch (CompletionException e) {
                return ((InferenceException) e.getCause()).outcome();
            }
        }

        private void checkAnswers(Millrace millrace) {
            Map<Outcome, Long> mine = new EnumMap<>(Outcome.class);
            for (int i = 0; i < answers.size(); i++) {
                Outcome outcome = end(answers.get(i));
                mine.merge(outcome, 1L, Long::sum);
                told.merge(outcome, 1L, Long::sum);
                if (outcome == Outcome.OK) {
                    assertThat(answers.get(i).join().floats("twice")).isEqualTo(expected.get(i));
                }
            }
            LaneStatistics lane = statistics(millrace, ENSEMBLE);
            long whole = cancelled.stream().filter(each -> each).count();
            assertThat(lane.accepted() + sum(lane.refused())).isEqualTo(REQUESTS);
            assertThat(refusedAtOnce).isGreaterThanOrEqualTo(sum(lane.refused()));
            for (Outcome outcome : Outcome.values()) {
                long counted =
                        lane.ended().getOrDefault(outcome, 0L) + lane.refused().getOrDefault(outcome, 0L);
                // A request that its caller gave up may have ended otherwise before.
                assertThat(counted)
                        .as("%s", outcome)
                        .isBetween(
                                mine.getOrDefault(outcome, 0L) - (outcome == Outcome.CANCELLED ? whole : 0),
                                mine.getOrDefault(outcome, 0L) + whole);
            }
        }

        private void checkLanes(Millrace millrace) {
            for (LaneStatistics lane : millrace.statistics()) {
                assertThat(lane.inFlight()).as(lane.model()).isZero();
                assertThat(lane.queued()).as(lane.model()).isZero();
                assertThat(sum(lane.ended())).as(lane.model()).isEqualTo(lane.accepted());
            }
            long ok = statistics(millrace, ENSEMBLE).ended().getOrDefault(Outcome.OK, 0L);
            assertThat(statistics(millrace, "two_inputs").ended().getOrDefault(Outcome.OK, 0L))
                    .isGreaterThanOrEqualTo(2 * ok);
            assertThat(statistics(millrace, "fails_on_index").ended().getOrDefault(Outcome.OK, 0L))
                    .isGreaterThanOrEqualTo(ok);
        }

        private static long sum(Map<Outcome, Long> counts) {
            return counts.values().stream().mapToLong(Long::longValue).sum();
        }

        private static LaneStatistics statistics(Millrace millrace, String model) {
            return millrace.statistics().stream()
                    .filter(lane -> lane.model().equals(model))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
