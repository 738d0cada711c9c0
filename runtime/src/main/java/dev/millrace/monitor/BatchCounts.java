// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import dev.millrace.memory.Hot;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/// How many batches of which size one model version has run, and how long that took. Every batch is counted, so that
/// rows and runs can be had from here and agree, whenever they are asked for.
///
/// Memory: 4 KiB for each 256 sizes of which one has come. Threads: any, writing and reading.
public final class BatchCounts {
    private static final int PAGE_SIZES = 256;

    /// For each size its count and then its nanoseconds; null where none of a page's sizes has come.
    private final AtomicReferenceArray<AtomicLongArray> pages;

    /// The batches of one size.
    ///
    /// @param rows the size
    /// @param runs how many there were
    /// @param nanos how long their runs took together
    public record Size(int rows, long runs, long nanos) {}

    /// @param maxBatch the most rows in a batch
    public BatchCounts(int maxBatch) {
        this.pages = new AtomicReferenceArray<>(maxBatch / PAGE_SIZES + 1);
    }

    /// A batch has been run.
    @Hot
    public void add(int rows, long nanos) {
        AtomicLongArray page = pages.get(rows / PAGE_SIZES);
        if (page == null) {
            page = newPage(rows / PAGE_SIZES);
        }
        int at = rows % PAGE_SIZES * 2;
        page.getAndAdd(at + 1, nanos);
        page.getAndAdd(at, 1);
    }

    private AtomicLongArray newPage(int index) {
        pages.compareAndSet(index, null, new AtomicLongArray(2 * PAGE_SIZES));
        return pages.get(index);
    }

    /// The sizes that have come, ascending.
    public List<Size> sizes() {
        List<Size> sizes = new ArrayList<>();
        for (int i = 0; i < pages.length(); i++) {
            AtomicLongArray page = pages.get(i);
            for (int size = 0; page != null && size < PAGE_SIZES; size++) {
                long runs = page.get(2 * size);
                if (runs > 0) {
                    sizes.add(new Size(i * PAGE_SIZES + size, runs, page.get(2 * size + 1)));
                }
            }
        }
        return List.copyOf(sizes);
    }
}
