// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.model.Batching;
import dev.millrace.plan.LaneSpec;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The law of conservation over several lanes on one clock, one sweeper and one pool, with all that can happen to a
/// request at random: priorities, deadlines, default timeouts, admission, rows that fail their batch, runs that fail or
/// are terminated, breakers, cancellations, and a close at the end.
class ConservationTest {
    private static final float POISON = 1e6f;
    private static final int STEPS = 400;

    /// What happened in all cases together: each has to be there, or nothing was tested.
    private static final class Seen {
        private final Map<Outcome, Long> told = new EnumMap<>(Outcome.class);
        private long splits;
        private long terminated;
        private long breakers;
        private long unmeetable;
        private long mates;
    }

    @Test
    void shouldTellEachAcceptedRequestOnceWhateverHappensInSeveralLanes() {
        check(0, 80);
    }

    @Test
    @Tag("slow")
    void shouldTellEachAcceptedRequestOnceInManyCases() {
        check(80, 800);
    }

    private static void check(long first, long end) {
        Seen seen = new Seen();
        for (long seed = first; seed < end; seed++) {
            try (World world = new World(new SplittableRandom(seed))) {
                world.live();
                world.end();
                world.check(seen);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(seen.told)
                .containsOnlyKeys(
                        Outcome.OK,
                        Outcome.TOO_LARGE,
                        Outcome.OVERLOADED,
                        Outcome.CANCELLED,
                        Outcome.EXPIRED,
                        Outcome.FAILED,
                        Outcome.UNAVAILABLE);
        assertThat(List.of(seen.splits, seen.terminated, seen.breakers, seen.unmeetable, seen.mates))
                .as("splits, terminated runs, open breakers, deadlines that cannot be met, mates of rows that failed")
                .allMatch(count -> count > 20);
    }

    /// Lanes, and what their callers were told.
    private static final class World implements AutoCloseable {
        private final SplittableRandom random;
        private final AtomicLong clock = new AtomicLong(1000);
        private final AgentPool agents = new AgentPool(1);
        private final Sweeper sweeper = new Sweeper(clock::get);
        private final List<Subject> subjects = new ArrayList<>();

        World(SplittableRandom random) {
            this.random = random;
            for (int i = random.nextInt(1, 4); i > 0; i--) {
                subjects.add(new Subject(this, "lane" + i));
            }
        }

        void live() {
            for (int step = 0; step < STEPS; step++) {
                Subject subject = subjects.get(random.nextInt(subjects.size()));
                switch (random.nextInt(12)) {
                    case 0, 1, 2, 3 -> subject.submit();
                    case 4, 5 -> subject.lane.turn(null, Rig.ENOUGH, 1);
                    case 6, 7 -> subject.endRun(random.nextInt(4) == 0);
                    case 8 -> subject.cancel();
                    case 9 -> clock.addAndGet(random.nextLong(1, 200));
                    case 10 -> sweeper.sweep();
                    default -> clock.addAndGet(random.nextInt(20) == 0 ? 2_000_000_000L : 10);
                }
            }
        }

        /// Closes the lanes, and answers or ends what waits.
        void end() {
            for (Subject subject : subjects) {
                subject.lane.refuse();
                boolean abandon = random.nextInt(4) == 0;
                while (!subject.backend.pending.isEmpty()) {
                    subject.endRun(false);
                }
                while (!abandon && (subject.lane.turn(null, Rig.ENOUGH, 1) > 0 || !subject.backend.pending.isEmpty())) {
                    while (!subject.backend.pending.isEmpty()) {
                        subject.endRun(false);
                    }
                }
                subject.lane.abandon();
            }
        }

        void check(Seen seen) {
            subjects.forEach(subject -> subject.check(seen));
        }

        @Override
        public void close() {
            subjects.forEach(subject -> subject.asked.forEach(asked -> asked.told.call.close()));
        }
    }

    /// A request and what may become of it.
    private record Asked(Rig.Told told, boolean poisoned, boolean cancelled, boolean limited) {
        Asked afterCancelling() {
            return new Asked(told, poisoned, told.call.cancel() || cancelled, limited);
        }
    }

    private static final class Subject {
        private final SplittableRandom random;
        private final FakeBackend backend;
        private final LaneSpec spec;
        private final Lane lane;
        private final List<Asked> asked = new ArrayList<>();

        Subject(World world, String name) {
            this.random = world.random;
            int capacity = 1 << random.nextInt(1, 6);
            List<LaneSpec.Queue> queues = new ArrayList<>();
            for (int level = random.nextInt(1, 4); level > 0; level--) {
                long timeout = random.nextInt(3) == 0 ? random.nextInt(100, 2000) : Call.NO_TIMEOUT;
                queues.add(new LaneSpec.Queue(Math.max(2, capacity >> random.nextInt(3)), timeout));
            }
            int maxBatch = random.nextInt(1, capacity + 1);
            spec = new LaneSpec(
                    name,
                    1,
                    Rig.SIGNATURE,
                    Batching.Kind.ROWS,
                    maxBatch,
                    random.nextInt(1, 4),
                    queues,
                    random.nextInt(queues.size()),
                    random.nextInt(1, 5),
                    random.nextBoolean() ? 0 : random.nextInt(1, 4));
            backend = new FakeBackend(spec.slots());
            backend.later = random.nextBoolean();
            backend.terminable = true;
            backend.poison = POISON;
            // What a run costs is the same each time, so that it is learned.
            int perRow = random.nextInt(1, 30);
            backend.onStart = run -> world.clock.addAndGet(20 + (long) perRow * run.count());
            int delay = random.nextInt(3) == 0 ? random.nextInt(1, 500) : 0;
            Supplier<BatchPolicy> policies =
                    () -> delay == 0 ? null : new BatchPolicy(capacity, maxBatch, List.of(), delay);
            lane = new Lane(spec, policies, true, backend, world.agents, world.sweeper, world.clock::get);
            world.sweeper.add(lane);
        }

        void submit() {
            boolean limited = random.nextBoolean();
            Call call = new Call(lane, Rig.ENOUGH).priority(random.nextInt(5));
            call.timeoutNanos(limited ? random.nextInt(-1, 600) : Call.NO_TIMEOUT);
            int capacity = spec.capacity(call.level());
            int rows = random.nextInt(20) == 0 ? capacity + 1 : random.nextInt(1, Math.min(5, capacity) + 1);
            Rig.Told told = new Rig.Told(call, random.nextInt(1000), rows);
            boolean poisoned = random.nextInt(12) == 0;
            if (poisoned) {
                call.input(0).setFloat(random.nextInt(rows), POISON);
            }
            told.admission = call.submit(told);
            limited |= spec.defaultTimeoutNanos(call.level()) != Call.NO_TIMEOUT;
            asked.add(new Asked(told, poisoned, false, limited));
        }

        void cancel() {
            if (!asked.isEmpty()) {
                int one = Math.max(0, asked.size() - 1 - random.nextInt(20));
                asked.set(one, asked.get(one).afterCancelling());
            }
        }

        /// Ends a run that goes on, or fails it.
        void endRun(boolean fails) {
            List<FakeBackend.Started> runs = List.copyOf(backend.pending);
            if (runs.isEmpty()) {
                return;
            }
            FakeBackend.Started run = runs.get(random.nextInt(runs.size()));
            if (fails) {
                backend.fail(lane, run);
            } else {
                backend.complete(lane, run);
            }
        }

        void check(Seen seen) {
            Map<Outcome, Long> ended = new EnumMap<>(Outcome.class);
            Map<Outcome, Long> refused = new EnumMap<>(Outcome.class);
            for (Asked each : asked) {
                Rig.Told told = each.told;
                boolean accepted = told.admission == Outcome.OK;
                assertThat(told.outcomes).hasSize(accepted ? 1 : 0);
                Outcome outcome = accepted ? told.outcomes.getFirst() : told.admission;
                assertThat(mayEnd(each, outcome)).as("%s, %s", outcome, spec).isTrue();
                if (outcome == Outcome.OK) {
                    told.assertAnswered();
                }
                (accepted ? ended : refused).merge(outcome, 1L, Long::sum);
                seen.told.merge(outcome, 1L, Long::sum);
            }
            LaneStatistics counted = lane.statistics();
            assertThat(positive(counted.ended())).isEqualTo(ended);
            assertThat(positive(counted.refused())).isEqualTo(refused);
            assertThat(counted.accepted())
                    .isEqualTo(
                            ended.values().stream().mapToLong(Long::longValue).sum());
            assertThat(counted.inFlight()).isZero();
            assertThat(lane.hasDeadlines()).isFalse();
            assertThat(lane.isIdle()).isTrue();
            assertThat(counted.terminated()).isEqualTo(backend.terminated);
            seen.splits += counted.splits();
            seen.terminated += counted.terminated();
            seen.breakers += counted.breakerOpened();
            seen.unmeetable += counted.unmeetable();
            seen.mates += counted.splits() > 0 ? ended.getOrDefault(Outcome.OK, 0L) : 0;
        }

        private boolean mayEnd(Asked each, Outcome outcome) {
            return switch (outcome) {
                case OK -> !each.poisoned && !each.cancelled;
                case CANCELLED -> each.cancelled;
                case EXPIRED -> each.limited && !each.cancelled;
                // Of a batch of which many rows fail not all are found.
                case FAILED -> !each.cancelled;
                case TOO_LARGE -> each.told.admission == outcome;
                case OVERLOADED -> each.told.admission == outcome;
                case UNAVAILABLE -> !each.cancelled;
                default -> false;
            };
        }

        private static Map<Outcome, Long> positive(Map<Outcome, Long> counts) {
            Map<Outcome, Long> positive = new EnumMap<>(Outcome.class);
            counts.forEach((outcome, count) -> {
                if (count > 0) {
                    positive.put(outcome, count);
                }
            });
            return positive;
        }
    }
}
