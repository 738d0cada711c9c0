// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/// The trials of a search for the highest rate, in the order in which they were made; prints each, and the answer.
///
/// Threads: one.
final class RateTrials {
    private final LoadPlan plan;
    private final long boundNanos;
    private final PrintWriter out;
    private final List<LoadResult> results = new ArrayList<>();

    /// Makes one trial.
    interface Runner {
        LoadResult run(LoadPlan plan) throws LoadException, InterruptedException;
    }

    /// @param plan of every trial, its rate the first
    RateTrials(LoadPlan plan, long boundNanos, PrintWriter out) {
        this.plan = plan;
        this.boundNanos = boundNanos;
        this.out = out;
    }

    OptionalDouble search(double precision, Runner runner) throws LoadException, InterruptedException {
        out.println("highest rate with p99 <= " + Figures.round(boundNanos) + "; " + plan.connections()
                + " connections, trials of " + Figures.round(plan.durationNanos()) + " after "
                + Figures.round(plan.warmupNanos()) + " of warm-up, seed " + plan.seed());
        out.println();
        out.flush();
        MaxRateSearch search = new MaxRateSearch(precision, rate -> holds(runner.run(plan.withRate(rate))));
        OptionalDouble highest = search.find(plan.rate());
        out.println();
        out.println(answer(highest));
        return highest;
    }

    private boolean holds(LoadResult result) {
        results.add(result);
        boolean held = result.holds(boundNanos);
        out.println(String.format(
                Locale.ROOT,
                "trial %2d  %10s/s  %-8s  p50 %8s  p99 %8s  %s/s answered%s",
                results.size(),
                Figures.count(result.plan().rate()),
                held ? "held" : "not held",
                Figures.time(result.latency().getValueAtPercentile(50)),
                Figures.time(result.p99Nanos()),
                Figures.count(result.rateReached()),
                remarks(result)));
        out.flush();
        return held;
    }

    private static String remarks(LoadResult result) {
        return (result.isStoppedEarly() ? ", stopped early" : "")
                + (result.failures() > 0 ? ", " + Figures.count(result.failures()) + " failed" : "")
                + (result.isGeneratorLate() ? ", the generator was late" : "");
    }

    private String answer(OptionalDouble highest) {
        if (highest.isEmpty()) {
            return "No rate was held. The first refusal: "
                    + results.stream()
                            .map(LoadResult::firstRefusal)
                            .filter(refusal -> refusal != null)
                            .findFirst()
                            .orElse("none");
        }
        Optional<LoadResult> above = results.stream()
                .filter(result -> result.plan().rate() > highest.getAsDouble())
                .min(Comparator.comparingDouble(result -> result.plan().rate()));
        String answer = Figures.count(highest.getAsDouble()) + " requests/s with p99 <= " + Figures.round(boundNanos)
                + above.map(result -> "; " + Figures.count(result.plan().rate()) + "/s was not held twice")
                        .orElse("");
        return above.filter(LoadResult::isGeneratorLate).isEmpty()
                ? answer
                : answer + "\nThe generator could not keep up above that: the server may hold more.";
    }

    List<LoadResult> results() {
        return results;
    }
}
