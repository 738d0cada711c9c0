// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/// Results for programs. Times are microseconds, rates are per second. Threads: any.
///
/// @param taken when
/// @param command the words of the command line
/// @param machine where it ran, as names and values
/// @param target the model's address
/// @param boundNanos the bound of p99; 0 if there was none
record JsonReport(Instant taken, List<String> command, Map<String, String> machine, String target, long boundNanos) {
    private static final int TICKS = 5;

    /// One load.
    String of(LoadResult result) {
        return document(json -> members(json, result));
    }

    /// A search, with all its trials.
    String of(OptionalDouble highest, List<LoadResult> trials) {
        return document(json -> {
            json.name("max_rate");
            if (highest.isPresent()) {
                json.number(highest.getAsDouble());
            } else {
                json.nothing();
            }
            json.name("trials").startArray();
            for (LoadResult trial : trials) {
                json.startObject();
                members(json, trial);
                json.endObject();
            }
            json.endArray();
        });
    }

    private String document(Consumer<JsonText> part) {
        JsonText json = new JsonText();
        json.startObject();
        json.name("taken").string(taken.toString());
        json.name("command").startArray();
        for (String word : command) {
            json.string(word);
        }
        json.endArray();
        json.name("machine").startObject();
        for (Map.Entry<String, String> fact : machine.entrySet()) {
            json.name(fact.getKey()).string(fact.getValue());
        }
        json.endObject();
        json.name("target").string(target);
        if (boundNanos > 0) {
            time(json, "p99_bound_us", boundNanos);
        }
        part.accept(json);
        json.endObject();
        return json + "\n";
    }

    private void members(JsonText json, LoadResult result) {
        plan(json, result.plan());
        if (boundNanos > 0) {
            json.name("held").bool(result.holds(boundNanos));
            json.name("stopped_early").bool(result.isStoppedEarly());
        }
        json.name("due").number(result.arrivals());
        json.name("answered").number(result.successes());
        json.name("refused").number(result.refusals());
        json.name("timed_out").number(result.timeouts());
        json.name("lost").number(result.lost());
        json.name("rate_due").number(result.rateDue());
        json.name("rate_reached").number(result.rateReached());
        json.name("status").startObject();
        for (Map.Entry<Integer, Long> status : result.statuses().entrySet()) {
            json.name(status.getKey().toString()).number(status.getValue());
        }
        json.endObject();
        json.name("errors").startObject();
        for (Map.Entry<String, Long> error : result.errors().entrySet()) {
            json.name(error.getKey()).number(error.getValue());
        }
        json.endObject();
        if (result.firstRefusal() != null) {
            json.name("first_refusal").string(result.firstRefusal());
        }
        json.name("waited_for_connection").number(result.waits());
        json.name("generator_late").bool(result.isGeneratorLate());
        histogram(json, "latency_us", result.latency());
        if (!result.plan().isClosed()) {
            histogram(json, "lateness_us", result.lateness());
        }
        seconds(json, result.seconds());
    }

    private static void plan(JsonText json, LoadPlan plan) {
        json.name("loop").string(plan.isClosed() ? "closed" : "open");
        if (!plan.isClosed()) {
            json.name("rate").number(plan.rate());
            json.name("seed").number(plan.seed());
        }
        json.name("connections").number(plan.connections());
        json.name("warmup_s").number(plan.warmupNanos() / 1e9);
        json.name("duration_s").number(plan.durationNanos() / 1e9);
        json.name("timeout_s").number(plan.timeoutNanos() / 1e9);
    }

    private static void time(JsonText json, String name, long nanos) {
        json.name(name).number(nanos / 1e3);
    }

    private static void histogram(JsonText json, String name, Histogram histogram) {
        json.name(name).startObject();
        json.name("count").number(histogram.getTotalCount());
        if (histogram.getTotalCount() > 0) {
            json.name("mean").number(histogram.getMean() / 1e3);
            for (double percentile : TextReport.PERCENTILES) {
                time(json, TextReport.name(percentile), histogram.getValueAtPercentile(percentile));
            }
            time(json, "max", histogram.getMaxValue());
            series(json, histogram);
        }
        json.endObject();
    }

    /// Percentiles that come closer to each other towards 100, each with its value.
    private static void series(JsonText json, Histogram histogram) {
        json.name("percentiles").startArray();
        for (HistogramIterationValue value : histogram.percentiles(TICKS)) {
            json.startArray();
            json.number(value.getPercentileLevelIteratedTo());
            json.number(value.getValueIteratedTo() / 1e3);
            json.endArray();
        }
        json.endArray();
    }

    private static void seconds(JsonText json, List<LoadResult.Second> seconds) {
        json.name("seconds").startArray();
        for (LoadResult.Second second : seconds) {
            json.startObject();
            json.name("end_s").number(second.end());
            json.name("answers_per_second").number(second.answersPerSecond());
            time(json, "p50_us", second.p50Nanos());
            time(json, "p99_us", second.p99Nanos());
            time(json, "max_us", second.maxNanos());
            json.name("failed").number(second.failures());
            json.endObject();
        }
        json.endArray();
    }
}
