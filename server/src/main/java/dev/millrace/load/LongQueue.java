// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

/// A queue of longs that makes no garbage but when it grows. Threads: one.
final class LongQueue {
    private static final int INITIAL = 1024;

    private long[] ring = new long[INITIAL];
    private int head;
    private int size;

    void add(long value) {
        if (size == ring.length) {
            grow();
        }
        ring[(head + size) & (ring.length - 1)] = value;
        size++;
    }

    private void grow() {
        long[] larger = new long[2 * ring.length];
        for (int i = 0; i < size; i++) {
            larger[i] = ring[(head + i) & (ring.length - 1)];
        }
        ring = larger;
        head = 0;
    }

    long peek() {
        return ring[head];
    }

    long poll() {
        long value = ring[head];
        head = (head + 1) & (ring.length - 1);
        size--;
        return value;
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }
}
