// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// What everybody asks, and how fast: by turns in bursts, steadily and hardly at all. Threads: any.
final class Pace {
    private static final long[] MEAN_PAUSES = {0, 0, 300_000, 2_000_000, 30_000_000};
    private static final int BAD_TIMES = 6;
    private static final long LOOK_NANOS = 10_000_000;
    private static final long SHORTEST = 500_000_000L;
    private static final long LONGEST = 4_000_000_000L;

    private final SplittableRandom random;
    private volatile long meanPause;
    private volatile boolean bad;
    private volatile boolean stopped;

    Pace(SplittableRandom random) {
        this.random = random;
    }

    /// Whether to go on.
    boolean goesOn() {
        return !stopped;
    }

    void stop() {
        stopped = true;
    }

    /// Waits for so long, or until `condition` does not hold any more, and changes the pace meanwhile.
    void keep(long nanos, BooleanSupplier condition) {
        long end = System.nanoTime() + nanos;
        long next = System.nanoTime();
        while (System.nanoTime() - end < 0 && condition.getAsBoolean()) {
            if (System.nanoTime() - next >= 0) {
                meanPause = MEAN_PAUSES[random.nextInt(MEAN_PAUSES.length)];
                bad = random.nextInt(BAD_TIMES) == 0;
                next = System.nanoTime() + random.nextLong(SHORTEST, LONGEST);
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    /// What somebody asks next. There are bad times, in which nobody asks the failing model anything that it could
    /// answer, so that its breaker opens.
    Question question(SplittableRandom draws) {
        Subject subject = Subject.draw(draws);
        return bad && subject == Subject.PICKY ? Subject.bad(draws) : subject.question(draws);
    }

    /// Between two requests of one client.
    void pause(SplittableRandom draws) {
        long mean = meanPause;
        if (mean > 0) {
            LockSupport.parkNanos((long) (-mean * Math.log(1 - draws.nextDouble())));
        }
    }
}
