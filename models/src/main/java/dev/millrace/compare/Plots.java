// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Draws what a comparison found. Stateless.
final class Plots {
    private static final int WIDTH = 640;
    private static final int LEFT = 60;
    private static final int HEAD = 60;
    private static final int SIDE = 320;
    private static final int MOST_DECADES = 9;

    private Plots() {}

    /// All that can be drawn, by name.
    static Map<String, String> of(ComparisonReport report) {
        Map<String, String> plots = new LinkedHashMap<>();
        String decisive =
                report.decisions().map(ComparisonReport.Decisions::output).orElse("");
        report.differences().stream()
                .filter(Plots::isNumbers)
                .min(Comparator.comparing(output -> !output.name().equals(decisive)))
                .ifPresent(output -> plots.put("differences", differences(output)));
        if (!report.speeds().isEmpty()) {
            plots.put("latency", latency(report.speeds()));
        }
        Optional<Quality> after = report.after().quality();
        Optional<Quality> before = report.before().flatMap(ComparisonReport.Side::quality);
        after.filter(quality -> !quality.curve().isEmpty())
                .ifPresent(quality -> plots.put("roc", roc(before, quality)));
        after.filter(quality -> !quality.reliability().isEmpty())
                .ifPresent(quality -> plots.put("reliability", reliability(before, quality)));
        return plots;
    }

    /// Whether it has values, and not texts, which differ by no amount.
    private static boolean isNumbers(OutputDifference output) {
        return output.elements() > 0 && (!output.decades().isEmpty() || output.unequal() == output.odd());
    }

    /// How many differences there are of each order of magnitude.
    private static String differences(OutputDifference output) {
        TreeMap<Integer, Long> counts = new TreeMap<>(output.decades());
        long counted = counts.values().stream().mapToLong(Long::longValue).sum();
        List<String> labels = new ArrayList<>(List.of("none"));
        List<Long> sizes = new ArrayList<>(List.of(output.elements() - output.odd() - counted));
        if (!counts.isEmpty()) {
            int first = Math.max(counts.firstKey(), counts.lastKey() - MOST_DECADES + 1);
            if (first > counts.firstKey()) {
                long less = 0;
                for (long count : counts.headMap(first).values()) {
                    less += count;
                }
                labels.add("less");
                sizes.add(less);
            }
            for (int exponent = first; exponent <= counts.lastKey(); exponent++) {
                labels.add("1e" + exponent);
                sizes.add(counts.getOrDefault(exponent, 0L));
            }
        }
        Svg svg = new Svg(WIDTH, SIDE, "Differences of '" + output.name() + "'")
                .label(16, 46, "start", "faint", "share of values by the power of ten from which their difference is");
        double step = (WIDTH - LEFT - 20.0) / labels.size();
        int foot = SIDE - 40;
        double most = sizes.stream().mapToLong(Long::longValue).max().orElse(1);
        svg.line(LEFT, foot, WIDTH - 16.0, foot, "grid");
        for (int i = 0; i < labels.size(); i++) {
            double share = (double) sizes.get(i) / output.elements();
            double height = (foot - HEAD - 20) * sizes.get(i) / Math.max(1, most);
            double x = LEFT + step * i;
            String said = Figures.percent(share);
            svg.bar(x + step * 0.1, foot - height, step * 0.8, height, "after", labels.get(i) + ": " + said);
            svg.label(x + step / 2, foot + 18, "middle", "faint", labels.get(i));
            if (sizes.get(i) > 0) {
                svg.label(x + step / 2, foot - height - 5, "middle", "faint", said);
            }
        }
        return svg.toString();
    }

    /// Medians of runs, each beside the other model's.
    private static String latency(List<Speed> speeds) {
        int line = 24;
        int group = 2 * line + 26;
        Svg svg = new Svg(WIDTH, HEAD + group * speeds.size() + 12, "Time of a run")
                .label(16, 46, "start", "faint", "medians of one thread; the mark is the middle half; scales differ");
        int y = HEAD;
        for (Speed speed : speeds) {
            double most = Math.max(
                    speed.after().high(), speed.before().map(Timing::high).orElse(0.0));
            svg.label(16, y + 14, "start", "", Figures.grouped(speed.rows()) + (speed.rows() == 1 ? " row" : " rows"));
            int at = y;
            if (speed.before().isPresent()) {
                bar(svg, at, speed.before().get(), most, "before", "before");
                at += line;
            }
            bar(svg, at, speed.after(), most, "after", speed.before().isPresent() ? "after" : "");
            y += group;
        }
        return svg.toString();
    }

    private static void bar(Svg svg, int y, Timing timing, double most, String kind, String name) {
        int left = 150;
        double unit = (WIDTH - left - 110.0) / most;
        String said = Figures.time(timing.median());
        svg.label(left - 8.0, y + 14, "end", "faint", name);
        svg.bar(left, y, timing.median() * unit, 18, kind, said);
        svg.line(left + timing.low() * unit, y + 9, left + timing.high() * unit, y + 9, "spread");
        svg.label(left + timing.high() * unit + 8, y + 14, "start", "", said);
    }

    /// The shares of negatives and of positives that pass a threshold, for all thresholds.
    private static String roc(Optional<Quality> before, Quality after) {
        Svg svg = square("ROC curve", "share of positives over share of negatives that pass a threshold");
        before.filter(quality -> !quality.curve().isEmpty())
                .ifPresent(quality -> svg.curve(scaled(quality.curve()), "before"));
        svg.curve(scaled(after.curve()), "after");
        key(svg, before.isPresent());
        return svg.toString();
    }

    /// How many of those of a confidence are what they are taken for; on the diagonal it can be believed.
    private static String reliability(Optional<Quality> before, Quality after) {
        Svg svg = square("Reliability", "share that is right over confidence, by tenths");
        before.ifPresent(quality -> tenths(svg, quality.reliability(), "before"));
        tenths(svg, after.reliability(), "after");
        key(svg, before.isPresent());
        return svg.toString();
    }

    private static void tenths(Svg svg, List<Quality.Tenth> tenths, String kind) {
        List<double[]> points = new ArrayList<>();
        for (Quality.Tenth tenth : tenths) {
            if (tenth.rows() > 0) {
                points.add(new double[] {tenth.confidence(), tenth.share()});
            }
        }
        List<double[]> scaled = scaled(points);
        svg.curve(scaled, kind);
        int at = 0;
        for (Quality.Tenth tenth : tenths) {
            if (tenth.rows() > 0) {
                double[] point = scaled.get(at++);
                svg.dot(point[0], point[1], kind, Figures.grouped(tenth.rows()) + " rows");
            }
        }
    }

    private static Svg square(String title, String note) {
        Svg svg = new Svg(SIDE + LEFT + 120, SIDE + HEAD + 40, title).label(16, 46, "start", "faint", note);
        for (int i = 0; i <= 4; i++) {
            double share = i / 4.0;
            double[] at = scale(share, share);
            svg.line(at[0], HEAD, at[0], HEAD + SIDE, "grid").line(LEFT, at[1], LEFT + SIDE, at[1], "grid");
            svg.label(at[0], HEAD + SIDE + 18, "middle", "faint", Figures.percent(share));
            svg.label(LEFT - 8, at[1] + 4, "end", "faint", Figures.percent(share));
        }
        double[] from = scale(0, 0);
        double[] to = scale(1, 1);
        return svg.line(from[0], from[1], to[0], to[1], "grid");
    }

    private static void key(Svg svg, boolean both) {
        double x = LEFT + SIDE + 20;
        if (both) {
            svg.bar(x, HEAD, 12, 12, "before", "before").label(x + 18, HEAD + 11, "start", "", "before");
        }
        svg.bar(x, HEAD + 22, 12, 12, "after", "after").label(x + 18, HEAD + 33, "start", "", both ? "after" : "model");
    }

    private static List<double[]> scaled(List<double[]> points) {
        return points.stream().map(point -> scale(point[0], point[1])).toList();
    }

    private static double[] scale(double x, double y) {
        return new double[] {LEFT + SIDE * x, HEAD + SIDE * (1 - y)};
    }
}
