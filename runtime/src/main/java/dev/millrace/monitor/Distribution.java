// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import java.util.List;
import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.Histogram;

/// How often which values came, to within one percent. Immutable.
///
/// It counts from the beginning; two of the same recorder make a window: `later.since(earlier)`.
public final class Distribution {
    private static final int FEW_DIGITS = 2;
    /// Up to here so few digits are enough for every batch size to have a count of its own.
    private static final int SMALL_BATCH = 255;

    private final Histogram histogram;
    private final long sum;

    private Distribution(Histogram histogram, long sum) {
        this.histogram = histogram;
        this.sum = sum;
    }

    /// What `live` holds now; others may go on recording into it.
    static Distribution of(AbstractHistogram live, long sum) {
        Histogram copy = new Histogram(live);
        copy.add(live);
        return new Distribution(copy, sum);
    }

    /// Batch sizes.
    ///
    /// @param maxBatch the largest that can come
    static Distribution of(List<BatchCounts.Size> sizes, int maxBatch) {
        Histogram histogram =
                new Histogram(1, Math.max(2, maxBatch), maxBatch <= SMALL_BATCH ? FEW_DIGITS : FEW_DIGITS + 1);
        long rows = 0;
        for (BatchCounts.Size size : sizes) {
            histogram.recordValueWithCount(size.rows(), size.runs());
            rows += size.rows() * size.runs();
        }
        return new Distribution(histogram, rows);
    }

    /// How many values there were.
    public long count() {
        return histogram.getTotalCount();
    }

    /// The sum of the values.
    public long sum() {
        return sum;
    }

    /// The value that `percent` percent of the values do not exceed; 0 if there are none.
    public long percentile(double percent) {
        return count() == 0 ? 0 : histogram.getValueAtPercentile(percent);
    }

    /// The largest value; 0 if there are none.
    public long max() {
        return count() == 0 ? 0 : histogram.getMaxValue();
    }

    /// How many values were at most `value`.
    public long countUpTo(long value) {
        long last = Math.min(value, histogram.getHighestTrackableValue());
        return histogram.getCountBetweenValues(0, last);
    }

    /// What came after `earlier`, which the same recorder gave before.
    public Distribution since(Distribution earlier) {
        Histogram window = histogram.copy();
        window.subtract(earlier.histogram);
        return new Distribution(window, sum - earlier.sum);
    }
}
