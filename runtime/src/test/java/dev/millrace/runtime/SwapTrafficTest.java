// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.NativeMemory;
import dev.millrace.model.ModelConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A model that is replaced again and again while threads ask for it in every way there is: no request is refused for
/// that or fails, and every answer is of a version that was served between the request's beginning and its end.
class SwapTrafficTest {
    enum Subject {
        ROWS,
        ROWS_THAT_WAIT,
        TENSORS,
        ENSEMBLE
    }

    @TempDir
    private Path root;

    @ParameterizedTest
    @EnumSource
    void shouldAnswerEachOnceWhenTheModelIsReplaced(Subject subject) throws Exception {
        attack(subject, 1, 3_000, 12);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("slow")
    @Timeout(300)
    void shouldAnswerEachOnceWhenTheModelIsReplacedSixtyTimes(Subject subject) throws Exception {
        attack(subject, 2, 6_000, 60);
    }

    private void attack(Subject subject, long seed, int requests, int swaps) throws Exception {
        long before = NativeMemory.used();
        Swapped target = new Swapped(root, subject, seed, swaps);
        try (target) {
            new Traffic(target, seed, requests).run();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(subject + " seed " + seed, e);
        }
        assertThat(target.changes.size()).isGreaterThan(swaps);
        assertThat(target.answering).as("instances that answered").hasSizeGreaterThan(swaps / 4);
        assertThat(NativeMemory.used()).as("%s seed %d", subject, seed).isEqualTo(before);
    }

    /// A model that adds a constant, another one after every change.
    private static final class Swapped implements Traffic.Target {
        private final Path root;
        private final Subject subject;
        private final int swaps;
        private final SplittableRandom random;
        private final Millrace millrace;
        private final Model model;
        /// What is added since each change; the last one may be in progress.
        private final List<Integer> changes = new CopyOnWriteArrayList<>();
        /// The last change that is over.
        private volatile int over;
        /// What was over when a call's request began.
        private final Map<Call, Integer> begun = new ConcurrentHashMap<>();

        private final Set<Integer> answering = ConcurrentHashMap.newKeySet();
        private final Set<Lane> lanes = ConcurrentHashMap.newKeySet();
        private final Thread swapper;
        private final AtomicReference<Throwable> problem = new AtomicReference<>();
        private volatile boolean stopped;
        private int version = 1;

        Swapped(Path root, Subject subject, long seed, int swaps) {
            this.root = root;
            this.subject = subject;
            this.swaps = swaps;
            this.random = new SplittableRandom(seed);
            ModelConfig config = ModelConfig.DEFAULT.withKeepPrevious(true);
            config = switch (subject) {
                case ROWS, ENSEMBLE -> config;
                case ROWS_THAT_WAIT ->
                    config.withMaxQueueDelay(Duration.ofNanos(100_000)).withPreferredBatchSizes(4, 12);
                case TENSORS -> config.withMaxBatchSize(0);
            };
            changes.add(1);
            ConstantModel.add(root, "m", version, 1);
            writeEnsemble();
            millrace = Millrace.open(
                    RuntimeConfig.DEFAULT
                            .withAgents(2)
                            .withQueueRows(64)
                            .withMaxBatch(16)
                            .withModel("m", config)
                            .withDrainTimeout(Duration.ofMinutes(1)),
                    root);
            note();
            millrace.lifecycle().whenChanged(this::note);
            model = millrace.model(subject == Subject.ENSEMBLE ? "e" : "m");
            swapper = Thread.ofPlatform().start(this::swapAgainAndAgain);
        }

        private void writeEnsemble() {
            try {
                Files.createDirectories(root.resolve("e/1"));
                Files.writeString(root.resolve("e/config.pbtxt"), """
                    platform: "ensemble"
                    max_batch_size: 64
                    input { name: "x" data_type: TYPE_FP32 dims: 1 }
                    output { name: "y" data_type: TYPE_FP32 dims: 1 }
                    ensemble_scheduling { step {
                      model_name: "m"
                      input_map { key: "x" value: "x" }
                      output_map { key: "y" value: "y" }
                    } }
                    """);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void note() {
            String name = subject == Subject.ENSEMBLE ? "e" : "m";
            for (LoadedVersion version : millrace.lifecycle().instances()) {
                if (version.lane().spec().model().equals(name)) {
                    lanes.add(version.lane());
                }
            }
        }

        private void swapAgainAndAgain() {
            try {
                while (!stopped) {
                    if (random.nextInt(4) == 0 && changes.size() > 1) {
                        // Twice in a row it goes forth and back.
                        changes.add(changes.get(changes.size() - 2));
                        millrace.lifecycle().rollback("m");
                    } else {
                        int constant = changes.size() + 1;
                        version += random.nextInt(2);
                        changes.add(constant);
                        ConstantModel.add(root, "m", version, constant);
                        millrace.lifecycle().load("m");
                    }
                    over = changes.size() - 1;
                }
            } catch (Throwable t) {
                problem.set(t);
            }
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
            return 64;
        }

        @Override
        public void fill(Call call, int rows, int value) {
            begun.put(call, over);
            call.input(0).reshape(rows, 1);
            for (int i = 0; i < rows; i++) {
                call.input(0).setFloat(i, value + i);
            }
        }

        @Override
        public void poison(Call call) {}

        @Override
        public String wrong(Call call, int rows, int value) {
            List<Integer> served = List.copyOf(changes);
            int added = (int) call.output(0).getFloat(0) - value;
            for (int i = 0; i < rows; i++) {
                if (call.output(0).getFloat(i) != value + i + added) {
                    return "row " + i + " is " + call.output(0).getFloat(i) + ", row 0 of the version that adds "
                            + added;
                }
            }
            answering.add(added);
            served = served.subList(begun.get(call), served.size());
            return served.contains(added)
                    ? null
                    : "version " + call.version() + " adds " + added + ", served " + served;
        }

        @Override
        public LaneStatistics statistics() {
            List<LaneStatistics> all = lanes.stream().map(Lane::statistics).toList();
            Map<Outcome, Long> ended = new EnumMap<>(Outcome.class);
            all.forEach(one -> one.ended().forEach((outcome, count) -> ended.merge(outcome, count, Long::sum)));
            for (LaneStatistics one : all) {
                if (stopped) {
                    MillraceTest.assertConserved(one);
                }
            }
            LaneStatistics any = all.getFirst();
            return new LaneStatistics(
                    any.model(),
                    any.version(),
                    all.stream().mapToLong(LaneStatistics::accepted).sum(),
                    ended,
                    any.refused(),
                    any.rows(),
                    any.batches(),
                    any.runNanos(),
                    any.batchSizes(),
                    any.lastRunMillis(),
                    any.timed(),
                    any.deadRows(),
                    any.skippedRows(),
                    any.unmeetable(),
                    any.splits(),
                    any.terminated(),
                    any.loadNanos(),
                    any.cacheHits(),
                    any.cacheHitNanos(),
                    any.cacheMisses(),
                    any.cacheMissNanos(),
                    any.breakerOpened(),
                    any.breakerOpen(),
                    any.queued(),
                    all.stream().mapToLong(LaneStatistics::inFlight).sum());
        }

        @Override
        public boolean isDone() {
            return changes.size() > swaps || problem.get() != null;
        }

        @Override
        public boolean mayBreak() {
            return false;
        }

        @Override
        public void shutDown() {
            stopped = true;
            try {
                swapper.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            millrace.close();
            if (problem.get() != null) {
                throw new AssertionError("a change failed", problem.get());
            }
        }

        @Override
        public void close() {
            millrace.close();
        }
    }
}
