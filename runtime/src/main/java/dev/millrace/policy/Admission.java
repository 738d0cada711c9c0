// SPDX-License-Identifier: Apache-2.0
package dev.millrace.policy;

import dev.millrace.memory.Hot;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/// Whether a request with a deadline would be answered in time, from what a run is known to cost and what is ahead
/// of it.
///
/// The prediction is a mean, and other models, other processes and the scheduler delay what it does not know of. So how
/// far answers come after their prediction is followed: its mean, its mean deviation, and how many deviations above the
/// mean its 99.5th percentile is. Mean and deviation follow the last tens of answers, and forget in a second where
/// those are few. The factor is slow: each answer above that percentile, the slack, raises it by 199 steps, each other
/// lowers it by one. A request is admitted if the prediction and the slack are within its deadline, hence about one of
/// two hundred that were admitted is late.
///
/// Where nothing is ahead of a request the slack does not count: a lane that is idle refuses nobody because of what
/// once was.
///
/// What is not known is not refused: without observations for [#FORGET_NANOS] one request is admitted whatever is
/// predicted, so that a model that has become quick again is found out.
///
/// Threads: any. Concurrent updates may lose one another, which an estimate can bear.
public final class Admission {
    /// The prediction is trusted for so long after the last answer it was compared with.
    static final long FORGET_NANOS = 100_000_000;

    private static final long UNKNOWN = Long.MIN_VALUE;

    /// What an answer that exceeds the slack raises the factor by, in steps.
    private static final int RAISE = 199;

    private static final double STEP = 1.0 / 2048;
    private static final double LEAST_FACTOR = 1;
    private static final double MOST_FACTOR = 16;
    /// The part that one answer has in the mean and the deviation at least, and the time after which it is a half.
    private static final double LEAST_SHARE = 1.0 / 64;

    private static final double MEMORY_NANOS = 1e9;

    private static final VarHandle TRUSTED_UNTIL;

    static {
        try {
            TRUSTED_UNTIL = MethodHandles.lookup().findVarHandle(Admission.class, "trustedUntil", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final CostModel cost;
    private final int instances;
    private double mean;
    private long last;
    private double deviation;
    private double factor = 4;
    private volatile double slackNanos;
    private volatile long trustedUntil = UNKNOWN;

    /// @param cost what a run costs
    /// @param instances runs at the same time
    public Admission(CostModel cost, int instances) {
        this.cost = cost;
        this.instances = instances;
    }

    /// How long the last of `rows` waiting rows takes to be answered, in nanoseconds; infinite while the cost is not
    /// known.
    ///
    /// @param rows rows that wait, the request's own among them
    /// @param maxBatch the most rows in one run
    /// @param busyNanos what the run in progress is expected to take still; 0 if an instance is free
    @Hot
    public double predict(long rows, int maxBatch, double busyNanos) {
        long full = (rows - 1) / maxBatch;
        int last = (int) (rows - full * maxBatch);
        // With several instances runs follow one another this much closer, but none gets shorter.
        return busyNanos + full * cost.estimate(maxBatch) / instances + cost.estimate(last);
    }

    /// Whether a request is to be admitted.
    ///
    /// @param predictedNanos from [#predict(long, int, double)]
    /// @param idle whether nothing is ahead of it, so that nothing else delays it
    /// @param leftNanos the time until its deadline
    @Hot
    public boolean admits(double predictedNanos, boolean idle, long leftNanos, long now) {
        double expected = idle ? predictedNanos : predictedNanos + slackNanos;
        if (expected <= leftNanos || !(predictedNanos < Double.POSITIVE_INFINITY)) {
            return true;
        }
        long until = trustedUntil;
        boolean trusted = until != UNKNOWN && now - until < 0;
        return !trusted && TRUSTED_UNTIL.compareAndSet(this, until, now + FORGET_NANOS);
    }

    /// Takes note of how far after its prediction an admitted request was answered, or was given up.
    ///
    /// @param lateNanos negative if it was answered before
    @Hot
    public void observe(long lateNanos, long now) {
        double late = lateNanos;
        double change = late > slackNanos ? RAISE * STEP : -STEP;
        factor = Math.clamp(factor + change, LEAST_FACTOR, MOST_FACTOR);
        double since = Math.max(0, now - last);
        double share = Math.max(LEAST_SHARE, since / (since + MEMORY_NANOS));
        last = now;
        deviation += share * (Math.abs(late - mean) - deviation);
        mean += share * (late - mean);
        slackNanos = Math.max(0, mean + factor * deviation);
        trustedUntil = now + FORGET_NANOS;
    }

    /// How much later than predicted an answer is reckoned to come, in nanoseconds.
    public double slackNanos() {
        return slackNanos;
    }
}
