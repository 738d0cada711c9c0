// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.LongStream;

/// How long something took, in nanoseconds; all 0 if it never happened.
///
/// @param count how often it happened
/// @param p50 what half of them did not exceed
/// @param p99 as `p50`, 99 of 100
/// @param max the longest
public record Percentiles(int count, long p50, long p99, long max) {
    public static Percentiles of(LongStream nanos) {
        long[] sorted = nanos.toArray();
        Arrays.sort(sorted);
        return sorted.length == 0
                ? new Percentiles(0, 0, 0, 0)
                : new Percentiles(sorted.length, at(sorted, 0.5), at(sorted, 0.99), sorted[sorted.length - 1]);
    }

    private static long at(long[] sorted, double part) {
        return sorted[(int) Math.ceil(part * sorted.length) - 1];
    }

    public void write(JsonGenerator json, String name) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("count", count);
        json.writeNumberField("p50Nanos", p50);
        json.writeNumberField("p99Nanos", p99);
        json.writeNumberField("maxNanos", max);
        json.writeEndObject();
    }
}
