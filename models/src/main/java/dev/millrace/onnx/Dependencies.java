// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.util.Arrays;

/// Which of some things need which others first. Threads: one.
final class Dependencies {
    private static final int NONE = -1;

    private final int[] first;
    private final int[] needs;
    private int[] next = new int[16];
    private int[] dependant = new int[16];
    private int edges;

    /// @param count of things, which are numbered from 0
    Dependencies(int count) {
        first = new int[count];
        Arrays.fill(first, NONE);
        needs = new int[count];
    }

    /// One needs another.
    void add(int one, int other) {
        if (edges == next.length) {
            next = Arrays.copyOf(next, 2 * edges);
            dependant = Arrays.copyOf(dependant, 2 * edges);
        }
        dependant[edges] = one;
        next[edges] = first[other];
        first[other] = edges++;
        needs[one]++;
    }

    /// An order in which nothing comes before what it needs; shorter than all if there is none: what needs itself in
    /// the end, and what needs such a thing, is not in it.
    int[] order() {
        int[] left = needs.clone();
        int[] order = new int[left.length];
        int count = 0;
        for (int i = 0; i < left.length; i++) {
            if (left[i] == 0) {
                order[count++] = i;
            }
        }
        for (int done = 0; done < count; done++) {
            for (int edge = first[order[done]]; edge != NONE; edge = next[edge]) {
                if (--left[dependant[edge]] == 0) {
                    order[count++] = dependant[edge];
                }
            }
        }
        return Arrays.copyOf(order, count);
    }

    /// One of the things that are not in the order.
    int stuck(int[] order) {
        boolean[] done = new boolean[needs.length];
        for (int i : order) {
            done[i] = true;
        }
        int i = 0;
        while (done[i]) {
            i++;
        }
        return i;
    }
}
