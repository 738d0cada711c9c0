// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/// What a load has found out. Immutable, but for the histograms, which nobody changes.
final class LoadResult {
    private static final double P99 = 99;
    /// The share of the rate that has to be reached.
    private static final double REACHED = 0.99;
    /// Sends that are so late do not matter, whatever the latency.
    private static final long LATE_NANOS = 100_000;
    private static final double LATE_SHARE = 0.25;
    private static final long LATE_WHEN_BEHIND_NANOS = 500_000;

    private final LoadPlan plan;
    private final boolean stoppedEarly;
    private final Histogram latency;
    private final Histogram lateness;
    private final List<Second> seconds;
    private final Map<Integer, Long> statuses;
    private final Map<String, Long> errors;
    private final long arrivals;
    private final long timeouts;
    private final long waits;
    private final int mostWaiting;
    private final long answersInTime;
    private final String firstRefusal;

    /// What went on in a second, or less, of the load.
    ///
    /// @param end seconds from the start of the load, warm-up included
    /// @param answersPerSecond answers of any kind
    /// @param p50Nanos median of the latencies recorded in it; 0 if there were none
    /// @param p99Nanos the 99th percentile likewise
    /// @param maxNanos the longest likewise
    /// @param failures refusals, timeouts and errors so far
    record Second(double end, double answersPerSecond, long p50Nanos, long p99Nanos, long maxNanos, long failures) {}

    /// @param latency all that the tally has given out by now
    LoadResult(LoadPlan plan, Tally tally, Histogram latency, List<Second> seconds, boolean stoppedEarly) {
        this.plan = plan;
        this.stoppedEarly = stoppedEarly;
        this.latency = latency;
        this.lateness = tally.lateness();
        this.seconds = List.copyOf(seconds);
        this.statuses = tally.statuses();
        this.errors = tally.errors();
        this.arrivals = tally.arrivals();
        this.timeouts = tally.timeouts();
        this.waits = tally.waits();
        this.mostWaiting = tally.mostWaiting();
        this.answersInTime = tally.answersInTime();
        this.firstRefusal = tally.firstRefusal();
    }

    LoadPlan plan() {
        return plan;
    }

    /// Whether it was broken off because the bound could not be held any more.
    boolean isStoppedEarly() {
        return stoppedEarly;
    }

    /// Nanoseconds from the time a request was due to its answer, or until it was given up.
    Histogram latency() {
        return latency;
    }

    /// Nanoseconds from the time a request was due until the generator took care of it.
    Histogram lateness() {
        return lateness;
    }

    List<Second> seconds() {
        return seconds;
    }

    Map<Integer, Long> statuses() {
        return statuses;
    }

    Map<String, Long> errors() {
        return errors;
    }

    /// Requests that were due in the counted time.
    long arrivals() {
        return arrivals;
    }

    long timeouts() {
        return timeouts;
    }

    long waits() {
        return waits;
    }

    int mostWaiting() {
        return mostWaiting;
    }

    String firstRefusal() {
        return firstRefusal;
    }

    long successes() {
        return statuses.entrySet().stream()
                .filter(entry -> entry.getKey() >= 200 && entry.getKey() < 300)
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    /// Answers without success.
    long refusals() {
        return statuses.values().stream().mapToLong(Long::longValue).sum() - successes();
    }

    long lost() {
        return errors.values().stream().mapToLong(Long::longValue).sum();
    }

    long failures() {
        return refusals() + lost() + timeouts;
    }

    /// Successes per second, as they came.
    double rateReached() {
        return answersInTime * 1e9 / plan.durationNanos();
    }

    /// Requests per second that were due: the rate wished, give or take chance.
    double rateDue() {
        return arrivals * 1e9 / plan.durationNanos();
    }

    long p99Nanos() {
        return latency.getValueAtPercentile(P99);
    }

    /// Whether every request was answered with success, the 99th percentile is at most `boundNanos`, and answers came
    /// as fast as requests, but for those that the bound allows to be on their way.
    boolean holds(long boundNanos) {
        return !stoppedEarly && successes() > 0 && failures() == 0 && p99Nanos() <= boundNanos && isReached(boundNanos);
    }

    private boolean isReached(long boundNanos) {
        double onTheirWay = rateDue() * boundNanos / 1e9;
        return answersInTime + onTheirWay >= REACHED * arrivals;
    }

    /// Whether fewer answers came than requests were due, more than chance and the last ones explain.
    boolean isBehind() {
        return !plan.isClosed() && !isReached(p99Nanos() < plan.durationNanos() / 10 ? p99Nanos() : 0);
    }

    /// Whether the generator itself was so late with sending that the figures are as much about it as about the server.
    boolean isGeneratorLate() {
        long late = lateness.getValueAtPercentile(P99);
        return late > Math.max(LATE_NANOS, LATE_SHARE * p99Nanos()) || (isBehind() && late > LATE_WHEN_BEHIND_NANOS);
    }
}
