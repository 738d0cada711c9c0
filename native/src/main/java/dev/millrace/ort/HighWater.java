// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

/// Tells when a need for much memory is behind us: the last needs were all far below the largest one.
///
/// Threads: one. It counts needs, not time: what is not used at all changes nothing.
final class HighWater {
    /// Needs that are looked back on.
    static final int WINDOW = 64;
    /// Less than this is never worth giving back.
    static final long WORTH_BYTES = 1 << 20;
    /// How much smaller the last needs have to be.
    private static final int FALL = 4;

    private long largest;
    private long recent;
    private int count;

    /// Takes note of a need.
    ///
    /// @return whether what was kept for the largest one should be given back; it is said once
    boolean isBehind(long bytes) {
        recent = Math.max(recent, bytes);
        largest = Math.max(largest, bytes);
        count++;
        if (count < WINDOW) {
            return false;
        }
        boolean behind = largest >= WORTH_BYTES && recent < largest / FALL;
        if (behind) {
            largest = recent;
        }
        count = 0;
        recent = 0;
        return behind;
    }
}
