// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/// A load's result for people. Threads: any.
final class TextReport {
    /// The percentiles that are reported.
    static final List<Double> PERCENTILES = List.of(50.0, 90.0, 95.0, 99.0, 99.9, 99.99);

    private static final double[] STEPS = {1, 1.5, 2, 3, 5, 7};
    private static final int BAR = 50;
    private static final double MANY = 0.01;

    private final LoadResult result;
    private final StringBuilder text = new StringBuilder();

    private TextReport(LoadResult result) {
        this.result = result;
    }

    static String of(LoadResult result) {
        TextReport report = new TextReport(result);
        report.counts();
        report.percentiles("latency", result.latency());
        if (!result.plan().isClosed()) {
            report.percentiles("sent late", result.lateness());
        }
        report.histogram();
        report.remarks();
        return report.text.toString();
    }

    /// The line of progress for one second.
    static String of(LoadResult.Second second, LoadPlan plan) {
        boolean warmup = second.end() * 1e9 < plan.warmupNanos() + 1e8;
        return String.format(
                Locale.ROOT,
                "%4.0f s  %9s answers/s  %s  %s failed",
                second.end(),
                Figures.count(Math.rint(second.answersPerSecond())),
                warmup
                        ? "(warm-up)"
                        : String.format(
                                "p50 %8s  p99 %8s  max %8s",
                                Figures.time(second.p50Nanos()),
                                Figures.time(second.p99Nanos()),
                                Figures.time(second.maxNanos())),
                Figures.count(second.failures()));
    }

    /// What a load is about to be.
    static String title(LoadPlan plan) {
        String how = plan.isClosed()
                ? "closed loop: " + plan.connections() + " connections, each sends again when it was answered"
                : "open loop: " + Figures.count(plan.rate()) + " requests/s at random times (Poisson, seed "
                        + plan.seed() + "), " + plan.connections() + " connections";
        return how + ", " + Figures.round(plan.durationNanos()) + " after " + Figures.round(plan.warmupNanos())
                + " of warm-up";
    }

    private void line(String name, String... values) {
        text.append(String.format("%-10s", name))
                .append("  ")
                .append(String.join("   ", values))
                .append('\n');
    }

    private void counts() {
        line(
                "requests",
                Figures.count(result.arrivals()) + " due",
                Figures.count(result.successes()) + " answered",
                Figures.count(result.refusals()) + " refused",
                Figures.count(result.timeouts()) + " timed out",
                Figures.count(result.lost()) + " lost");
        if (result.plan().isClosed()) {
            line("rate", Figures.count(result.rateReached()) + "/s answered");
        } else {
            line(
                    "rate",
                    Figures.count(result.plan().rate()) + "/s wished",
                    Figures.count(result.rateDue()) + "/s due",
                    Figures.count(result.rateReached()) + "/s answered");
        }
        List<String> statuses = new ArrayList<>();
        result.statuses().forEach((status, count) -> statuses.add(status + ": " + Figures.count(count)));
        line("status", statuses.isEmpty() ? "none" : String.join("   ", statuses));
        result.errors().forEach((reason, count) -> line("lost", Figures.count(count) + ": " + reason));
    }

    private void percentiles(String name, Histogram histogram) {
        List<String> values = new ArrayList<>();
        if (histogram.getTotalCount() > 0) {
            for (double percentile : PERCENTILES) {
                values.add(name(percentile) + " " + Figures.time(histogram.getValueAtPercentile(percentile)));
            }
            values.add("max " + Figures.time(histogram.getMaxValue()));
        }
        line(name, values.isEmpty() ? "none" : String.join("   ", values));
    }

    /// `p50`, `p99.9`
    static String name(double percentile) {
        return "p" + (percentile == Math.rint(percentile) ? Integer.toString((int) percentile) : percentile);
    }

    /// A bar for each step of a scale that has six steps per power of ten.
    private void histogram() {
        Histogram latency = result.latency();
        if (latency.getTotalCount() == 0) {
            return;
        }
        List<long[]> bins = bins(latency);
        long most = bins.stream().mapToLong(bin -> bin[2]).max().orElse(1);
        text.append('\n');
        for (long[] bin : bins) {
            double share = (double) bin[2] / latency.getTotalCount();
            String bar = "#".repeat((int) Math.ceil((double) BAR * bin[2] / most));
            text.append(String.format(
                            Locale.ROOT,
                            "%8s - %-8s %8.3f %%  %s",
                            Figures.round(bin[0]),
                            Figures.round(bin[1]),
                            100 * share,
                            bar)
                    .stripTrailing());
            text.append('\n');
        }
    }

    /// From, to and count of each bin from the first that is not empty to the last.
    private static List<long[]> bins(Histogram latency) {
        List<long[]> bins = new ArrayList<>();
        long left = latency.getTotalCount();
        long from = 0;
        for (int step = 0; left > 0; step++) {
            long to = edge(step);
            // The histogram's own bins may reach over an edge: each is counted where it starts.
            long below = to > latency.getMaxValue() ? latency.getTotalCount() : countBelow(latency, to);
            long count = below - (latency.getTotalCount() - left);
            if (count > 0 || !bins.isEmpty()) {
                bins.add(new long[] {from, to, count});
            }
            left -= count;
            from = to;
        }
        return bins;
    }

    private static long countBelow(Histogram latency, long value) {
        return latency.getCountBetweenValues(0, latency.lowestEquivalentValue(value) - 1);
    }

    private static long edge(int step) {
        return Math.round(1e3 * Math.pow(10, Math.floorDiv(step, STEPS.length)) * STEPS[step % STEPS.length]);
    }

    private void remarks() {
        if (result.isGeneratorLate()) {
            remark("The generator " + (result.isBehind() ? "could not keep up" : "was late")
                    + ": one of 100 requests was sent "
                    + Figures.time(result.lateness().getValueAtPercentile(99))
                    + " or more after it was due, by no fault of the server. The latencies contain that.");
        } else if (result.isBehind()) {
            remark("The server did not keep up: " + Figures.count(result.rateReached()) + "/s answered of "
                    + Figures.count(result.rateDue()) + "/s due. The generator was in time.");
        }
        if (result.waits() > MANY * result.arrivals()) {
            remark(String.format(
                    Locale.ROOT,
                    "%.1f %% of the requests found all %d connections busy and waited for one, up to %s at a time;"
                            + " their wait is in the latency.",
                    100.0 * result.waits() / result.arrivals(),
                    result.plan().connections(),
                    Figures.count(result.mostWaiting())));
        }
        if (result.firstRefusal() != null) {
            remark("The first refusal: " + result.firstRefusal());
        }
    }

    private void remark(String words) {
        text.append('\n').append(words).append('\n');
    }
}
