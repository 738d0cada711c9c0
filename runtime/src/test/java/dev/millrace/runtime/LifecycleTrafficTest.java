// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.lifecycle.ModelLoadException.Problem;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.ModelConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Several models and ensembles of them, each changed by a thread of its own, while threads ask for all of them: what
/// is never unloaded answers every request, each step of an ensemble by a version that was served between the request's
/// beginning and its end; callers were told what all lanes have counted; and no native memory is left. The plan of
/// changes and requests is drawn from the seed, how threads meet is not.
class LifecycleTrafficTest {
    /// More than the constants that a model has in its life.
    private static final int BASE = 128;

    @TempDir
    private Path root;

    @Test
    void shouldAnswerEachOnceWhenSeveralModelsAreChangedAtATime() throws Exception {
        attack(1, 1_000, 6);
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 3, 4, 5})
    @Tag("slow")
    @Timeout(300)
    void shouldAnswerEachOnceWhenSeveralModelsAreChangedManyTimesAtATime(long seed) throws Exception {
        attack(seed, 20_000, 100);
    }

    private void attack(long seed, int requests, int changes) throws Exception {
        long before = NativeMemory.used();
        Path folder = Files.createDirectories(root.resolve("seed-" + seed));
        try (Attack attack = new Attack(folder, seed, requests, changes)) {
            attack.run();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError("seed " + seed, e);
        }
        assertThat(NativeMemory.used()).as("seed %d", seed).isEqualTo(before);
    }

    /// A model that adds a constant, another one after every load.
    private static final class Changed {
        private final String name;
        /// What its constants are multiplied by, so that those of several models can be told apart in a sum.
        private final int unit;
        private final boolean unloads;
        /// What is added since each change; the last one may be in progress.
        private final List<Integer> changes = new CopyOnWriteArrayList<>();
        /// The last change that is over.
        private volatile int over;

        private final boolean keeps;
        private final AtomicInteger version = new AtomicInteger(1);

        Changed(String name, int unit, boolean unloads, boolean keeps) {
            this.name = name;
            this.unit = unit;
            this.unloads = unloads;
            this.keeps = keeps;
            changes.add(1);
        }

        /// What was served since then, and may be by now.
        List<Integer> since(int begun) {
            List<Integer> all = List.copyOf(changes);
            return all.subList(begun, all.size());
        }
    }

    /// What requests ask for: a model or an ensemble, and the models whose constants its answers have.
    private record Route(String model, String version, List<Changed> parts) {
        /// Whether a request may find nothing.
        boolean mayLack() {
            return !version.isEmpty() || parts.stream().anyMatch(part -> part.unloads);
        }
    }

    /// One run of it.
    private static final class Attack implements AutoCloseable {
        private static final int WINDOW = 4;

        private final Path root;
        private final long seed;
        private final int requests;
        private final int changes;
        private final Changed a = new Changed("a", 1, false, true);
        private final Changed b = new Changed("b", BASE, false, false);
        private final Changed c = new Changed("c", BASE, true, true);
        private final Changed d = new Changed("d", 1, false, true);
        private final List<Route> routes = List.of(
                new Route("a", "", List.of(a)),
                new Route("b", "", List.of(b)),
                new Route("c", "", List.of(c)),
                new Route("d", "", List.of(d)),
                new Route("a", "best", List.of(a)),
                new Route("ab", "", List.of(a, b)),
                new Route("ac", "", List.of(a, c)));
        private final Map<String, AtomicLongArray> told = new TreeMap<>();
        private final AtomicLong ended = new AtomicLong();
        private final AtomicReference<Throwable> problem = new AtomicReference<>();
        private final List<Call> calls = new CopyOnWriteArrayList<>();
        private final Millrace millrace;
        private volatile boolean closing;
        private volatile boolean stopped;

        Attack(Path root, long seed, int requests, int changes) {
            this.root = root;
            this.seed = seed;
            this.requests = requests;
            this.changes = changes;
            SplittableRandom random = new SplittableRandom(seed);
            RuntimeConfig config = RuntimeConfig.DEFAULT
                    .withAgents(2)
                    .withQueueRows(64)
                    .withMaxBatch(16)
                    .withDrainTimeout(Duration.ofMinutes(1));
            for (Changed model : List.of(a, b, c, d)) {
                ConstantModel.add(root, model.name, 1, model.unit);
                config = config.withModel(model.name, ModelConfig.DEFAULT.withKeepPrevious(model.keeps));
            }
            ensemble("ab", random);
            ensemble("ac", random);
            routes.forEach(route -> told.put(route.model(), new AtomicLongArray(Outcome.values().length)));
            millrace = Millrace.open(config, root);
            millrace.lifecycle().alias("a", "best", 1);
        }

        private void ensemble(String name, SplittableRandom random) {
            EnsembleFiles.write(
                    root,
                    name,
                    random.nextBoolean(),
                    name.chars()
                            .mapToObj(part -> "model_name: \"" + (char) part + "\"")
                            .toList());
        }

        void run() throws InterruptedException {
            SplittableRandom random = new SplittableRandom(seed);
            List<Runnable> bodies = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                List<Asker> askers = askers(random.split(), 1);
                SplittableRandom draws = random.split();
                bodies.add(() -> call(askers, draws));
            }
            List<Asker> callbacks = askers(random.split(), WINDOW);
            bodies.add(() -> loop(callbacks, null));
            List<Asker> turned = askers(random.split(), WINDOW);
            bodies.add(() -> loop(turned, millrace.turner()));
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < bodies.size(); i++) {
                callers.add(start(i % 2 == 1, bodies.get(i)));
            }
            List<Thread> changers = new ArrayList<>();
            for (Changed model : List.of(a, b, c, d)) {
                SplittableRandom plan = random.split();
                changers.add(start(true, () -> change(model, plan)));
            }
            SplittableRandom plan = random.split();
            changers.add(start(true, () -> meddle(plan)));
            while (problem.get() == null
                    && (ended.get() < requests || changers.stream().anyMatch(Thread::isAlive))) {
                cancelOne(random);
                LockSupport.parkNanos(300_000);
            }
            if (random.nextBoolean()) {
                closing = true;
                millrace.close();
            }
            stopped = true;
            for (Thread thread : callers) {
                thread.join();
            }
            for (Thread thread : changers) {
                thread.join();
            }
            calls.forEach(Call::close);
            millrace.close();
            if (problem.get() != null) {
                throw new AssertionError("a thread failed", problem.get());
            }
            checkTotals();
        }

        private Thread start(boolean platform, Runnable body) {
            Runnable guarded = () -> {
                try {
                    body.run();
                } catch (Throwable t) {
                    problem.compareAndSet(null, t);
                }
            };
            return (platform ? Thread.ofPlatform() : Thread.ofVirtual()).start(guarded);
        }

        private void cancelOne(SplittableRandom random) {
            List<Call> all = List.copyOf(calls);
            if (!all.isEmpty()) {
                all.get(random.nextInt(all.size())).cancel();
            }
        }

        /// Loads, rolls back and perhaps unloads one model again and again.
        private void change(Changed model, SplittableRandom random) {
            ModelLifecycle lifecycle = millrace.lifecycle();
            // Loads since it was not served: after the first there is nothing to go back to.
            int loads = 1;
            for (int i = 0; i < changes && problem.get() == null; i++) {
                int choice = random.nextInt(6);
                if (choice == 0 && model.keeps && loads > 1) {
                    // Twice in a row it goes forth and back.
                    model.changes.add(model.changes.get(model.changes.size() - 2));
                    lifecycle.rollback(model.name);
                } else if (choice == 1 && model.unloads && loads > 0) {
                    lifecycle.unload(model.name, false);
                    loads = 0;
                } else {
                    load(model, i + 2, random.nextBoolean());
                    loads++;
                }
                model.over = model.changes.size() - 1;
            }
            if (loads == 0) {
                lifecycle.load(model.name);
            }
        }

        private void load(Changed model, int constant, boolean newVersion) {
            int version = model.version.addAndGet(newVersion ? 1 : 0);
            model.changes.add(constant);
            ConstantModel.add(root, model.name, version, constant * model.unit);
            millrace.lifecycle().load(model.name);
        }

        /// Loads ensembles anew, rolls them back and moves an alias; asks how all of it stands.
        private void meddle(SplittableRandom random) {
            for (int i = 0; i < 2 * changes && problem.get() == null; i++) {
                String ensemble = random.nextBoolean() ? "ab" : "ac";
                try {
                    switch (random.nextInt(4)) {
                        case 0 -> millrace.lifecycle().rollback(ensemble);
                        case 1 -> millrace.lifecycle().alias("a", "best", a.version.get());
                        default -> millrace.lifecycle().load(ensemble);
                    }
                } catch (ModelLoadException e) {
                    // Nothing was before, the version has just gone, or a step's model is not there.
                    if (e.problem() != Problem.NOT_FOUND && !ensemble.equals("ac")) {
                        throw e;
                    }
                }
                assertThat(millrace.status()).isNotEmpty();
                millrace.totals().forEach(total -> assertThat(total.inFlight()).isNotNegative());
            }
        }

        /// Asks and waits.
        private void call(List<Asker> askers, SplittableRandom random) {
            while (!stopped) {
                Asker asker = askers.get(random.nextInt(askers.size()));
                asker.prepare();
                asker.judge(asker.call.run());
            }
        }

        /// Keeps several requests in flight and is told; with a turner it is an event loop that turns by itself.
        private void loop(List<Asker> askers, Turner turner) {
            while (!stopped || askers.stream().anyMatch(Asker::isOnItsWay)) {
                for (Asker asker : askers) {
                    if (!asker.isOnItsWay()) {
                        asker.land();
                        if (!stopped) {
                            asker.takeOff(turner);
                        }
                    }
                }
                if (turner != null) {
                    turner.turn();
                }
                Thread.yield();
            }
            askers.forEach(Asker::land);
        }

        /// So many for each route.
        private List<Asker> askers(SplittableRandom random, int each) {
            List<Asker> askers = new ArrayList<>();
            for (int i = 0; i < each; i++) {
                routes.forEach(route -> askers.add(new Asker(route, random.split())));
            }
            return askers;
        }

        /// One request at a time on one route.
        private final class Asker implements Completion {
            private final Route route;
            private final SplittableRandom random;
            private final Call call;
            private final AtomicInteger landings = new AtomicInteger();
            private final int[] begun;
            private volatile Outcome outcome;
            private int takeOffs;
            private int rows;
            private int value;
            private boolean timed;

            Asker(Route route, SplittableRandom random) {
                this.route = route;
                this.random = random;
                this.begun = new int[route.parts().size()];
                Model model = route.version().isEmpty()
                        ? millrace.model(route.model())
                        : millrace.model(route.model(), route.version());
                this.call = model.call();
                calls.add(call);
            }

            void prepare() {
                rows = random.nextInt(8) == 0 ? random.nextInt(1, 17) : random.nextInt(1, 4);
                value = random.nextInt(400);
                for (int i = 0; i < begun.length; i++) {
                    begun[i] = route.parts().get(i).over;
                }
                call.input(0).reshape(rows, 1);
                for (int i = 0; i < rows; i++) {
                    call.input(0).setFloat(i, (value + i) * BASE * BASE);
                }
                timed = random.nextInt(4) == 0;
                call.timeoutNanos(timed ? random.nextInt(1, 2_000_000) : Call.NO_TIMEOUT);
            }

            void takeOff(Turner turner) {
                prepare();
                takeOffs++;
                Outcome admission = turner == null ? call.submit(this) : turner.submit(call, this);
                if (admission != Outcome.OK) {
                    takeOffs--;
                    judge(admission);
                }
            }

            @Override
            public void completed(Call whose, Outcome how) {
                outcome = how;
                landings.getAndIncrement();
            }

            boolean isOnItsWay() {
                assertThat(landings.get()).as("told").isLessThanOrEqualTo(takeOffs);
                return landings.get() < takeOffs;
            }

            void land() {
                Outcome how = outcome;
                outcome = null;
                if (how != null) {
                    judge(how);
                }
            }

            void judge(Outcome how) {
                told.get(route.model()).getAndIncrement(how.ordinal());
                ended.getAndIncrement();
                boolean right = switch (how) {
                    case OK -> isRight();
                    case EXPIRED -> timed;
                    case CANCELLED, OVERLOADED -> true;
                    case UNAVAILABLE, NOT_FOUND -> closing || route.mayLack();
                    case FAILED, INVALID, TOO_LARGE -> false;
                };
                if (!right) {
                    throw new AssertionError(
                            route.model() + " " + route.version() + " ended as " + how + ": " + call.message());
                }
            }

            private boolean isRight() {
                for (int row = 0; row < rows; row++) {
                    int answer = (int) call.output(0).getFloat(row);
                    assertThat(answer / (BASE * BASE)).as("row %d", row).isEqualTo(value + row);
                    for (int i = 0; i < begun.length; i++) {
                        Changed part = route.parts().get(i);
                        assertThat(part.since(begun[i]))
                                .as("what %s adds in an answer of %s", part.name, route.model())
                                .contains(answer / part.unit % BASE);
                    }
                }
                return true;
            }
        }

        /// What is no part of anything counted what callers were told, parts no less.
        private void checkTotals() {
            List<LaneStatistics.Totals> totals = millrace.totals();
            assertThat(totals).extracting(LaneStatistics.Totals::model).containsExactlyElementsOf(told.keySet());
            for (LaneStatistics.Totals model : totals) {
                assertThat(model.inFlight()).as("%s", model).isZero();
                boolean part = "abc".contains(model.model());
                for (Outcome outcome : Outcome.values()) {
                    long counted = model.ended().get(outcome) + model.refused().get(outcome);
                    long here = told.get(model.model()).get(outcome.ordinal());
                    assertThat(part ? Math.min(here, counted) : counted)
                            .as("%s of %s", outcome, model)
                            .isEqualTo(here);
                }
                assertThat(told.get(model.model()).get(Outcome.OK.ordinal()))
                        .as("answers by %s", model.model())
                        .isPositive();
            }
        }

        @Override
        public void close() {
            millrace.close();
        }
    }
}
