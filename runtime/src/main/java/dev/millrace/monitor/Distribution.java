// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import org.HdrHistogram.AbstractHistogram;
import org.HdrHistogram.Histogram;

/// How often which values came, to within one percent. Immutable.
///
/// It counts from the beginning; two of the same recorder make a window: `later.since(earlier)`.
public final class Distribution {
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
