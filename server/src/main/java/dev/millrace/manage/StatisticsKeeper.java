// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.manage.ModelStatistics.Batch;
import dev.millrace.manage.ModelStatistics.Spent;
import dev.millrace.monitor.Stage;
import dev.millrace.monitor.Sums;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.Outcome;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Makes durations of all requests out of those that were timed.
///
/// Not every request is timed, but each that is counts for those that it was chosen from. At every look the requests
/// that came since the last one are given the mean of those timed since then. So durations never go back, and between
/// two looks they are about what was done between them. Requests of which none was timed yet wait for the next look.
///
/// Threads: any; one at a time is in it.
final class StatisticsKeeper {
    private final Supplier<List<LaneStatistics>> source;
    private Map<Key, Account> accounts = new HashMap<>();

    private record Key(String model, long version) {}

    StatisticsKeeper(Supplier<List<LaneStatistics>> source) {
        this.source = source;
    }

    /// Everything, as it is now.
    ///
    /// @param memory how many bytes a model version has booked
    synchronized List<ModelStatistics> read(Memory memory) {
        Map<Key, Account> kept = new HashMap<>();
        List<ModelStatistics> all = new ArrayList<>();
        for (LaneStatistics lane : source.get()) {
            Key key = new Key(lane.model(), lane.version());
            Account account = accounts.get(key);
            if (account == null || !account.isContinuedBy(lane)) {
                account = new Account(lane.loadNanos());
            }
            kept.put(key, account);
            all.add(account.read(lane, memory.bytes(lane.model(), lane.version())));
        }
        accounts = kept;
        return all;
    }

    /// Tells what a model version has booked.
    interface Memory {
        long bytes(String model, long version);
    }

    /// What was made of one model version's times so far.
    private static final class Account {
        private final Scale answered = new Scale();
        private final Scale failed = new Scale();
        private final Map<Stage, Long> nanos = new EnumMap<>(Stage.class);
        /// How long its load took: that of another load differs.
        private final long loadNanos;
        private Sums seen = Sums.NONE;
        private long failedNanos;

        Account(long loadNanos) {
            this.loadNanos = loadNanos;
        }

        /// Whether this is the version that was looked at before, and not one that was loaded anew.
        boolean isContinuedBy(LaneStatistics lane) {
            return loadNanos == lane.loadNanos()
                    && answered.isContinuedBy(answeredOf(lane), lane.timed().answered())
                    && failed.isContinuedBy(failedOf(lane), lane.timed().failed());
        }

        private static long answeredOf(LaneStatistics lane) {
            return lane.ended().getOrDefault(Outcome.OK, 0L);
        }

        private static long failedOf(LaneStatistics lane) {
            return failures(lane).values().stream().mapToLong(Long::longValue).sum();
        }

        private static Map<FailureReason, Long> failures(LaneStatistics lane) {
            Map<FailureReason, Long> failures = new EnumMap<>(FailureReason.class);
            for (FailureReason reason : FailureReason.values()) {
                failures.put(reason, 0L);
            }
            for (Map<Outcome, Long> ends : List.of(lane.ended(), lane.refused())) {
                ends.forEach((outcome, count) -> {
                    if (outcome != Outcome.OK) {
                        failures.merge(FailureReason.of(outcome), count, Long::sum);
                    }
                });
            }
            return failures;
        }

        ModelStatistics read(LaneStatistics lane, long memoryBytes) {
            Sums now = lane.timed();
            double share = answered.advance(answeredOf(lane), now.answered());
            if (share > 0) {
                add(now, share);
            }
            double failedShare = failed.advance(failedOf(lane), now.failed());
            if (failedShare > 0) {
                failedNanos += Math.round((now.failedNanos() - seen.failedNanos()) * failedShare);
            }
            seen = new Sums(
                    now.answered(),
                    share > 0 ? now.nanos() : seen.nanos(),
                    now.failed(),
                    failedShare > 0 ? now.failedNanos() : seen.failedNanos());
            return statistics(lane, memoryBytes);
        }

        /// Adds what was timed since the last look. What a request took as a whole is no less than its parts, also if
        /// it was just being recorded.
        private void add(Sums now, double share) {
            long parts = 0;
            for (Stage stage : Stage.values()) {
                long timed = Math.max(0, now.nanos().get(stage) - seen.nanos().get(stage));
                long scaled = Math.round(timed * share);
                long added = stage == Stage.TOTAL ? Math.max(scaled, parts) : scaled;
                nanos.merge(stage, added, Long::sum);
                parts += scaled;
            }
        }

        private ModelStatistics statistics(LaneStatistics lane, long memoryBytes) {
            List<Batch> batches = lane.batchSizes().stream()
                    .map(size -> new Batch(size.rows(), new Spent(size.runs(), size.nanos())))
                    .toList();
            return new ModelStatistics(
                    lane.model(),
                    lane.version(),
                    lane.lastRunMillis(),
                    lane.rows(),
                    lane.batches(),
                    spent(lane, Stage.TOTAL),
                    new Spent(failedOf(lane), failedNanos),
                    failures(lane),
                    spent(lane, Stage.QUEUE),
                    spent(lane, Stage.ASSEMBLE),
                    spent(lane, Stage.RUN),
                    spent(lane, Stage.DELIVER),
                    new Spent(lane.cacheHits(), lane.cacheHitNanos()),
                    new Spent(lane.cacheMisses(), lane.cacheMissNanos()),
                    batches,
                    memoryBytes);
        }

        private Spent spent(LaneStatistics lane, Stage stage) {
            long found = stage == Stage.TOTAL ? 0 : lane.cacheHits();
            return new Spent(Math.max(0, answeredOf(lane) - found), nanos.getOrDefault(stage, 0L));
        }
    }

    /// For how many requests a timed one counts, from look to look.
    private static final class Scale {
        private long requests;
        private long timed;

        boolean isContinuedBy(long requestsNow, long timedNow) {
            return requestsNow >= requests && timedNow >= timed;
        }

        /// Goes on to what there is now; 0 if it cannot, because none of the requests since the last look was timed.
        double advance(long requestsNow, long timedNow) {
            if (requestsNow == requests || timedNow == timed) {
                return 0;
            }
            double share = (double) (requestsNow - requests) / (timedNow - timed);
            requests = requestsNow;
            timed = timedNow;
            return share;
        }
    }
}
