// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.lifecycle.LoadOptions;
import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.lifecycle.RepositoryLook;
import dev.millrace.lifecycle.VersionSource;
import dev.millrace.lifecycle.VersionState;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryPlan;
import dev.millrace.memory.VersionMemory;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.VersionPolicy;
import dev.millrace.plan.LaneSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/// A lifecycle and those who ask its models, one step after the other at random, on a clock that is moved by hand.
/// Models are [StampEngine]s, ensembles are real ones of these. After each step what it did is checked, at the end what
/// is left.
///
/// Threads: one.
final class LifecycleWorld {
    private static final int STEPS = 300;

    /// What requests ask for.
    private record Route(String model, String version) {
        /// As the step of an ensemble.
        String text() {
            return "model_name: \"" + model + "\"" + (version.isEmpty() ? "" : " model_version: " + version);
        }
    }

    /// A request, what it asked for, and by what it has to be answered.
    private static final class Asked implements Completion {
        private final Route route;
        private final Call call;
        private float value;
        private boolean cancelled;
        private boolean open;
        private Lane lane;
        private LifecycleWorld world;

        Asked(Route route, Call call, LifecycleWorld world) {
            this.route = route;
            this.call = call;
            this.world = world;
        }

        @Override
        public void completed(Call ended, Outcome outcome) {
            assertThat(open).as("told once").isTrue();
            open = false;
            world.told.computeIfAbsent(lane, _ -> new EnumMap<>(Outcome.class)).merge(outcome, 1L, Long::sum);
            world.saw(outcome.name());
            switch (outcome) {
                case OK -> world.checkAnswer(this);
                case CANCELLED -> assertThat(cancelled).isTrue();
                case EXPIRED -> {}
                case UNAVAILABLE, OVERLOADED -> world.checkFailure(this, outcome);
                default -> throw new AssertionError(outcome + " " + call.message());
            }
        }
    }

    private final SplittableRandom random;
    private final Path root;
    private final Map<String, Integer> seen;
    private final AtomicLong clock = new AtomicLong(1000);
    private final AgentPool agents = new AgentPool(1);
    private final Sweeper sweeper = new Sweeper(clock::get);
    private final MemoryBudgets budgets = MemoryBudgets.of(MemoryPlan.of(1L << 30));
    private final Catalog catalog = new Catalog();
    private final Deque<Runnable> leaving = new ArrayDeque<>();
    private final Map<Lane, StampEngine> engines = new HashMap<>();
    /// Of ensembles.
    private final Set<Lane> ensembleLanes = new HashSet<>();
    /// What ensembles are made of; the version of a step is that number, or any.
    private final Map<String, List<Route>> steps = new TreeMap<>();
    private final Map<Lane, Map<Outcome, Long>> told = new HashMap<>();
    private final List<Asked> asked = new ArrayList<>();
    private final ModelLifecycle lifecycle;
    private final Map<String, Integer> highest = new HashMap<>();
    private final List<String> names;
    private int instances;
    private int step;

    LifecycleWorld(Path root, long seed, Map<String, Integer> seen) {
        this.root = root;
        this.seen = seen;
        this.random = new SplittableRandom(seed);
        Map<String, ModelConfig> configs = new HashMap<>();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            String model = "m" + i;
            configs.put(
                    model,
                    ModelConfig.DEFAULT
                            .withKeepPrevious(random.nextBoolean())
                            .withVersionPolicy(VersionPolicy.latest(random.nextInt(1, 3))));
            addVersion(model);
        }
        writeEnsembles();
        names = List.copyOf(new TreeSet<>(highest.keySet()));
        RuntimeConfig config = RuntimeConfig.DEFAULT.withAgents(1);
        LoadedVersion.Host host = new LoadedVersion.Host(config, budgets, null, null, agents, sweeper, clock::get);
        lifecycle = new ModelLifecycle(
                new RepositoryLook(List.of(root), configs), host, catalog, source -> load(source, host), leaving::add);
        names.forEach(this::change);
    }

    /// None, one of one or two steps, or another one around it.
    private void writeEnsembles() {
        List<String> models = List.copyOf(highest.keySet());
        int count = random.nextInt(3);
        for (int i = 1; i <= count; i++) {
            List<Route> parts = new ArrayList<>();
            if (i == 2) {
                parts.add(new Route("e1", ""));
            }
            for (int more = i == 2 ? 1 : random.nextInt(1, 3); more > 0; more--) {
                String version = random.nextInt(4) == 0 ? "1" : "";
                parts.add(random.nextInt(parts.size() + 1), new Route(draw(models), version));
            }
            steps.put("e" + i, parts);
            addVersion("e" + i);
            EnsembleFiles.write(
                    root,
                    "e" + i,
                    random.nextBoolean(),
                    parts.stream().map(Route::text).toList());
        }
    }

    private String draw(List<String> from) {
        return from.get(random.nextInt(from.size()));
    }

    void saw(String what) {
        seen.merge(what, 1, Integer::sum);
    }

    private void addVersion(String model) {
        try {
            Files.createDirectories(
                    root.resolve(model).resolve(Integer.toString(highest.merge(model, 1, Integer::sum))));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private LoadedVersion load(VersionSource source, LoadedVersion.Host host) {
        if (random.nextInt(5) == 0) {
            throw new IllegalArgumentException("it does not want to");
        }
        String model = source.model().name();
        if (source.model().ensemble().isPresent()) {
            LoadedVersion ensemble = EnsembleLane.load(source, host, catalog);
            ensembleLanes.add(ensemble.lane());
            return ensemble;
        }
        int capacity = 1 << random.nextInt(1, 5);
        VersionMemory memory = VersionMemory.of(model, source.number(), budgets, Long.MAX_VALUE);
        LaneSpec spec = new LaneSpec(
                model,
                source.number(),
                Rig.SIGNATURE,
                Batching.Kind.ROWS,
                random.nextInt(1, capacity + 1),
                capacity,
                random.nextInt(1, 3));
        StampEngine engine = new StampEngine(
                ++instances, model, capacity, memory.tensors(), () -> checkServed(source.number(), model, spec));
        int delay = random.nextInt(3) == 0 ? random.nextInt(1, 300) : 0;
        Lane lane = new Lane(
                spec,
                () -> delay == 0 ? null : new BatchPolicy(capacity, spec.maxBatch(), List.of(), delay),
                true,
                engine,
                agents,
                sweeper,
                clock::get);
        engine.serve(lane);
        engines.put(lane, engine);
        return new LoadedVersion(
                source,
                () -> {},
                memory,
                ModelStatus.absent(model, source.number(), VersionState.READY, ""),
                lane,
                List.of(),
                host.config());
    }

    /// How many steps were taken.
    int step() {
        return step;
    }

    /// Takes all steps.
    void live() {
        for (step = 0; step < STEPS; step++) {
            String model = draw(names);
            switch (random.nextInt(24)) {
                case 0 -> change(model);
                case 1 -> unload(model);
                case 2 -> rollback(model);
                case 3 -> alias(model);
                case 4 -> leave();
                case 5, 6 -> sweeper.sweep();
                case 7 -> clock.addAndGet(random.nextInt(1, 500));
                case 8, 9, 10, 11 -> turn();
                case 12, 13 -> complete();
                case 14 -> cancel();
                case 15, 16, 17 -> askAnew(model);
                default -> askAgain();
            }
        }
    }

    /// Nobody but the test ends runs: what is to wait for them does so with engines that are done at once, and with
    /// ensembles that have answered what they had before they were closed.
    private void patiently(Runnable change) {
        engines.values().forEach(engine -> engine.atOnce(true));
        runDry(ensemble -> !ensemble.isOpen());
        try {
            change.run();
        } finally {
            engines.values().forEach(engine -> engine.atOnce(false));
        }
    }

    private void runDry(Predicate<Lane> which) {
        for (int turns = 0; ensembleLanes.stream().anyMatch(lane -> which.test(lane) && !lane.isDrained()); turns++) {
            assertThat(turns).as("an ensemble does not drain").isLessThan(10_000);
            // For rows that wait for company.
            clock.addAndGet(100);
            lifecycle.instances().forEach(version -> version.lane().turn(null, Rig.ENOUGH, 100));
        }
    }

    private void change(String model) {
        // There are no more stamps than that, and a load takes a few.
        if (instances > StampEngine.BASE - 8) {
            return;
        }
        if (random.nextBoolean()) {
            addVersion(model);
        }
        List<LoadedVersion> before = catalog.entry(model).live();
        saw("load");
        try {
            patiently(() -> lifecycle.load(model, LoadOptions.DEFAULT));
            saw("loaded");
            if (!before.isEmpty() && isUsed(model)) {
                saw("swapped under an ensemble");
            }
            assertThat(catalog.entry(model).live()).isNotEqualTo(before);
        } catch (ModelLoadException _) {
            saw("load failed");
            if (!before.isEmpty()) {
                assertThat(catalog.entry(model).live()).isEqualTo(before);
            }
        }
    }

    private void unload(String model) {
        boolean dependents = random.nextBoolean();
        Map<String, List<LoadedVersion>> parts = new TreeMap<>();
        catalog.entry(model)
                .live()
                .forEach(version -> version.parts()
                        .forEach(part -> parts.put(part, catalog.entry(part).live())));
        try {
            lifecycle.unload(model, dependents);
            saw("unload");
            assertThat(catalog.entry(model).live()).isEmpty();
            parts.forEach((part, before) -> checkPart(part, before, dependents));
        } catch (ModelLoadException _) {
            assertThat(catalog.entry(model).live()).isEmpty();
        }
    }

    /// After an ensemble was unloaded.
    private void checkPart(String part, List<LoadedVersion> before, boolean dependents) {
        if (dependents && !isUsed(part)) {
            saw("unload with dependents");
            assertThat(catalog.entry(part).live()).as(part).isEmpty();
        } else {
            saw(dependents ? "kept a dependent" : "unload without dependents");
            assertThat(catalog.entry(part).live()).as(part).isEqualTo(before);
        }
    }

    /// Whether an ensemble that is served has it for a step.
    private boolean isUsed(String model) {
        return catalog.loaded().stream().anyMatch(version -> version.parts().contains(model));
    }

    private void rollback(String model) {
        Catalog.Entry before = catalog.entry(model);
        boolean kept = !before.previous().isEmpty();
        saw("rollback");
        try {
            if (kept) {
                saw("reopened");
                lifecycle.rollback(model);
            } else {
                patiently(() -> lifecycle.rollback(model));
            }
            saw("rolled back");
            if (isUsed(model)) {
                saw("swapped under an ensemble");
            }
            if (kept) {
                assertThat(catalog.entry(model).live()).isEqualTo(before.previous());
                assertThat(catalog.entry(model).previous()).isEqualTo(before.live());
            }
        } catch (ModelLoadException _) {
            assertThat(kept).isFalse();
        }
    }

    private void alias(String model) {
        int version = random.nextInt(1, highest.get(model) + 1);
        boolean served = catalog.entry(model).find(version).isPresent();
        try {
            lifecycle.alias(model, "best", version);
            saw("alias");
            assertThat(served).isTrue();
        } catch (ModelLoadException _) {
            assertThat(served).isFalse();
        }
    }

    private void leave() {
        if (!leaving.isEmpty()) {
            patiently(leaving.poll());
        }
    }

    private Lane anyLane() {
        List<LoadedVersion> all = lifecycle.instances();
        return all.isEmpty() ? null : all.get(random.nextInt(all.size())).lane();
    }

    private void turn() {
        Lane lane = anyLane();
        if (lane != null) {
            lane.turn(null, Rig.ENOUGH, 1);
        }
    }

    private void complete() {
        Lane lane = anyLane();
        StampEngine engine = engines.get(lane);
        if (engine != null && engine.hasPending()) {
            engine.complete();
        }
    }

    private void cancel() {
        if (!asked.isEmpty()) {
            Asked one = asked.get(random.nextInt(asked.size()));
            if (one.open) {
                one.cancelled = true;
                one.call.cancel();
            }
        }
    }

    private LoadedVersion find(Route route) {
        return switch (route.version()) {
            case "" -> catalog.find(route.model());
            case "best" -> catalog.findAlias(route.model(), "best");
            default -> catalog.find(route.model(), Long.parseLong(route.version()));
        };
    }

    /// The version that a route stands for now, or null.
    private LoadedVersion resolve(Route route) {
        try {
            return find(route);
        } catch (InferenceException _) {
            return null;
        }
    }

    private void askAnew(String model) {
        String version = switch (random.nextInt(4)) {
            case 0 -> Integer.toString(random.nextInt(1, highest.get(model) + 1));
            case 1 -> "best";
            default -> "";
        };
        Route route = new Route(model, version);
        LoadedVersion now = resolve(route);
        if (now != null) {
            Call call = now.borrow().follow(() -> find(route));
            Asked one = new Asked(route, call, this);
            asked.add(one);
            ask(one);
        }
    }

    private void askAgain() {
        if (!asked.isEmpty()) {
            int index = random.nextInt(asked.size());
            Asked one = asked.get(index);
            if (!one.open && random.nextInt(4) == 0) {
                asked.remove(index);
                one.call.home().giveBack(one.call);
            } else if (!one.open) {
                ask(one);
            }
        }
    }

    private void ask(Asked one) {
        Call call = one.call;
        LoadedVersion before = call.home();
        one.value = random.nextInt(StampEngine.BASE);
        one.cancelled = false;
        call.input(0).reshape(1, 1).setFloat(0, one.value);
        call.timeoutNanos(random.nextInt(3) == 0 ? random.nextInt(1, 2000) : Call.NO_TIMEOUT);
        one.open = true;
        Outcome admission = call.submit(one);
        LoadedVersion home = call.home();
        one.lane = home.lane();
        if (admission == Outcome.OK) {
            assertThat(catalog.entry(one.route.model()).live()).contains(home);
            assertThat(home == before || home == resolve(one.route)).isTrue();
            saw(home == before ? "stayed" : "moved");
            if (!one.route.version().isEmpty() && !one.route.version().equals("best")) {
                assertThat(home.number()).isEqualTo(Long.parseLong(one.route.version()));
            }
            return;
        }
        one.open = false;
        saw("refused " + admission);
        if (admission == Outcome.NOT_FOUND || admission == Outcome.UNAVAILABLE) {
            assertThat(resolve(one.route)).as(call.message()).isNull();
        } else {
            assertThat(admission).isEqualTo(Outcome.OVERLOADED);
        }
    }

    /// A request was accepted: the version has to be one that is served.
    @SuppressWarnings("ReferenceEquality") // a lane's spec is what it is, not what it says
    private void checkServed(long number, String model, LaneSpec spec) {
        assertThat(catalog.entry(model).live())
                .as("served when a request to version %d of %s was accepted", number, model)
                .anyMatch(version -> version.lane().spec() == spec);
    }

    /// It has gone through the models that it asked for, in their order; a model alone was the one that accepted it.
    private void checkAnswer(Asked one) {
        List<String> way = way(one.route.model());
        int rest = (int) one.call.output(0).getFloat(0);
        for (String model : way.reversed()) {
            int stamp = rest % StampEngine.BASE;
            assertThat(engines.values())
                    .anyMatch(engine -> engine.stamp() == stamp
                            && engine.model().equals(model)
                            && (way.size() > 1 || engines.get(one.lane) == engine || ensembleLanes.contains(one.lane)));
            rest /= StampEngine.BASE;
        }
        assertThat(rest).isEqualTo((int) one.value);
        saw("OK through " + way.size());
    }

    /// The models that a request goes through.
    private List<String> way(String model) {
        return steps.containsKey(model)
                ? steps.get(model).stream()
                        .flatMap(part -> way(part.model()).stream())
                        .toList()
                : List.of(model);
    }

    /// Only an ensemble fails so: for want of a model, or because the queue of one is full.
    private void checkFailure(Asked one, Outcome outcome) {
        saw("step " + outcome);
        assertThat(ensembleLanes).contains(one.lane);
        if (outcome == Outcome.UNAVAILABLE) {
            assertThat(lacks(one.route.model())).as(one.call.message()).isTrue();
        }
    }

    /// Whether a step has no model now.
    private boolean lacks(String model) {
        return steps.getOrDefault(model, List.of()).stream()
                .anyMatch(part -> resolve(part) == null || lacks(part.model()));
    }

    /// Ends everything, and looks at what is left.
    void end() {
        for (String model : highest.keySet()) {
            if (!catalog.entry(model).previous().isEmpty()) {
                saw("kept");
            }
        }
        engines.values().forEach(engine -> engine.atOnce(true));
        runDry(_ -> true);
        patiently(() -> lifecycle.close(RuntimeConfig.DEFAULT.drainTimeout()));
        leaving.forEach(Runnable::run);
        assertThat(lifecycle.instances()).isEmpty();
        asked.forEach(one -> one.call.close());
        assertThat(engines.values()).allMatch(StampEngine::isClosed);
        engines.keySet().forEach(this::checkCounts);
        ensembleLanes.forEach(this::checkCounts);
        checkTotals();
        assertThat(budgets.tensors().used()).isZero();
    }

    /// Who asked was told what a lane has counted; those of steps are asked by ensembles, too.
    private void checkCounts(Lane lane) {
        LaneStatistics counted = lane.statistics();
        MillraceTest.assertConserved(counted);
        assertThat(lane.hasDeadlines()).isFalse();
        boolean isPart = steps.values().stream()
                .flatMap(List::stream)
                .anyMatch(part -> part.model().equals(lane.spec().model()));
        for (Outcome outcome : Outcome.values()) {
            long ended = counted.ended().get(outcome);
            long here = told.getOrDefault(lane, Map.of()).getOrDefault(outcome, 0L);
            assertThat(isPart ? Math.min(here, ended) : ended)
                    .as("%s %s", lane.spec().describe(), outcome)
                    .isEqualTo(here);
        }
    }

    /// A model's totals are what its lanes have counted, and its lanes are all that there were.
    private void checkTotals() {
        catalog.totals().forEach(total -> {
            long accepted = 0;
            for (Set<Lane> lanes : List.of(engines.keySet(), ensembleLanes)) {
                accepted += lanes.stream()
                        .filter(lane -> lane.spec().model().equals(total.model()))
                        .mapToLong(lane -> lane.statistics().accepted())
                        .sum();
            }
            assertThat(total.accepted()).as(total.model()).isEqualTo(accepted);
            assertThat(total.inFlight()).as(total.model()).isZero();
        });
    }
}
