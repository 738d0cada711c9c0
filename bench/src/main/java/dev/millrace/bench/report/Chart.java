// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Latencies as a picture: a panel per group, a line per series, on a common logarithmic axis. A line reaches from the
/// median to the 99.9th percentile and has a dot at the median, and at the 99th and the 99.9th percentile a tick each.
///
/// It is an SVG without scripts or fonts of its own, and takes the reader's choice of light or dark.
///
/// Threads: stateless.
public final class Chart {
    /// What is drawn.
    ///
    /// @param title above all
    /// @param note below the title
    /// @param panels from top to bottom
    public record Picture(String title, String note, List<Panel> panels) {}

    /// Measurements that are compared with each other.
    ///
    /// @param title above the panel
    /// @param marks from top to bottom
    public record Panel(String title, List<Mark> marks) {}

    /// One measurement, in nanoseconds.
    ///
    /// @param label at its left
    /// @param kind what it is for the reader: 0 the floor, 1 a peer, 2 ours
    /// @param p50 the median
    /// @param p99 the 99th percentile
    /// @param p999 the 99.9th percentile
    public record Mark(String label, int kind, double p50, double p99, double p999) {}

    private static final int WIDTH = 960;
    private static final int LEFT = 370;
    private static final int RIGHT = 90;
    private static final int HEAD = 64;
    private static final int PANEL_HEAD = 34;
    private static final int LINE = 24;
    private static final int FOOT = 56;
    private static final List<String> KINDS = List.of("floor", "peer", "ours");

    private static final String STYLE = """
        svg { --paper: #ffffff; --ink: #1c2024; --faint: #60646c; --grid: #e0e2e6; --floor: #80838d; --peer: #0d74ce;
              --ours: #c4560a; }
        @media (prefers-color-scheme: dark) {
          svg { --paper: #111318; --ink: #edeef0; --faint: #b0b4ba; --grid: #31353b; --floor: #9a9ea6;
                --peer: #70b8ff; --ours: #ff9a4d; } }
        text { font: 13px system-ui, sans-serif; fill: var(--ink); }
        .title { font-size: 17px; font-weight: 600; } .panel { font-weight: 600; } .faint { fill: var(--faint); }
        .paper { fill: var(--paper); } .grid { stroke: var(--grid); stroke-width: 1; }
        .floor { stroke: var(--floor); fill: var(--floor); } .peer { stroke: var(--peer); fill: var(--peer); }
        .ours { stroke: var(--ours); fill: var(--ours); } line.mark { stroke-width: 2; }
        """;

    private final Picture picture;
    private final double from;
    private final double to;
    private final StringBuilder svg = new StringBuilder();

    private Chart(Picture picture) {
        this.picture = picture;
        List<Mark> marks = picture.panels().stream()
                .flatMap(panel -> panel.marks().stream())
                .toList();
        double least = marks.stream().mapToDouble(Mark::p50).min().orElse(1);
        double most = marks.stream().mapToDouble(Mark::p999).max().orElse(10);
        this.from = Math.floor(2 * Math.log10(least * 0.95)) / 2;
        this.to = Math.max(from + 1, Math.ceil(2 * Math.log10(most * 1.05)) / 2);
    }

    /// The picture as an SVG document.
    public static String svg(Picture picture) {
        return new Chart(picture).render();
    }

    private String render() {
        int height = HEAD + FOOT;
        for (Panel panel : picture.panels()) {
            height += PANEL_HEAD + LINE * panel.marks().size();
        }
        line(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " role=\"img\">",
                WIDTH, height, WIDTH, height);
        line("<title>%s</title>", escape(picture.title()));
        line("<style>%n%s</style>", STYLE);
        line("<rect class=\"paper\" width=\"%d\" height=\"%d\"/>", WIDTH, height);
        text(16, 28, "title", "start", picture.title());
        text(16, 50, "faint", "start", picture.note());
        grid(height);
        int y = HEAD;
        for (Panel panel : picture.panels()) {
            y += PANEL_HEAD;
            text(16, y - 10, "panel", "start", panel.title());
            for (Mark mark : panel.marks()) {
                mark(y + LINE / 2, mark);
                y += LINE;
            }
        }
        text(WIDTH - 16, height - 12, "faint", "end", "dot: median · ticks: 99th and 99.9th percentile");
        return svg.append("</svg>\n").toString();
    }

    private void grid(int height) {
        for (int decade = (int) Math.floor(from); decade <= Math.ceil(to); decade++) {
            for (int digit : new int[] {1, 3}) {
                double nanos = digit * Math.pow(10, decade);
                if (Math.log10(nanos) < from - 1e-9 || Math.log10(nanos) > to + 1e-9) {
                    continue;
                }
                double x = x(nanos);
                line(
                        "<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>",
                        x, HEAD, x, height - FOOT + 6);
                text(x, height - FOOT + 22, "faint", "middle", duration(nanos));
            }
        }
    }

    private void mark(int y, Mark mark) {
        String kind = KINDS.get(mark.kind());
        text(LEFT - 12, y + 4, "", "end", mark.label());
        line(
                "<line class=\"mark %s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>",
                kind, x(mark.p50()), y, x(mark.p999()), y);
        for (double percentile : new double[] {mark.p99(), mark.p999()}) {
            double x = x(percentile);
            line("<line class=\"mark %s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", kind, x, y - 5, x, y + 5);
        }
        line(
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%d\" r=\"5\"><title>%s: p50 %s, p99 %s, p99.9"
                        + " %s</title></circle>",
                kind,
                x(mark.p50()),
                y,
                escape(mark.label()),
                duration(mark.p50()),
                duration(mark.p99()),
                duration(mark.p999()));
        text(WIDTH - 16, y + 4, "", "end", duration(mark.p50()));
    }

    private double x(double nanos) {
        double share = (Math.log10(Math.max(1, nanos)) - from) / (to - from);
        return LEFT + share * (WIDTH - LEFT - RIGHT);
    }

    /// Three digits and the unit in which they are read best.
    public static String duration(double nanos) {
        List<String> units = List.of("ns", "µs", "ms", "s");
        int unit = 0;
        double value = nanos;
        while (value >= 999.5 && unit < units.size() - 1) {
            value /= 1000;
            unit++;
        }
        int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
        String text = String.format(Locale.ROOT, "%." + digits + "f", value);
        return (digits == 0 ? text : text.replaceFirst("\\.?0+$", "")) + " " + units.get(unit);
    }

    private void text(double x, double y, String kind, String anchor, String words) {
        String of = kind.isEmpty() ? "" : " class=\"" + kind + "\"";
        line("<text%s x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", of, x, y, anchor, escape(words));
    }

    private static String escape(String text) {
        List<String> pieces = new ArrayList<>();
        text.codePoints()
                .forEach(point -> pieces.add(
                        switch (point) {
                            case '&' -> "&amp;";
                            case '<' -> "&lt;";
                            case '>' -> "&gt;";
                            case '"' -> "&quot;";
                            // XML has no other control characters.
                            default -> point < ' ' && point != '\t' && point != '\n' ? "?" : Character.toString(point);
                        }));
        return String.join("", pieces);
    }

    private void line(String format, Object... values) {
        svg.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
