// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// An SVG document that is being drawn, in colours for light and dark. Threads: one.
final class Svg {
    private static final String STYLE = """
        svg { --paper: #ffffff; --ink: #1c2024; --faint: #60646c; --grid: #e0e2e6; --before: #80838d; --after: #0d74ce;
          font-family: system-ui, sans-serif; font-size: 13px; }
        @media (prefers-color-scheme: dark) {
          svg { --paper: #111318; --ink: #edeef0; --faint: #b0b4ba; --grid: #31353b; --before: #9a9ea6;
            --after: #70b8ff; }
        }
        .paper { fill: var(--paper); }
        text { fill: var(--ink); }
        .title { font-size: 16px; font-weight: 600; }
        .faint { fill: var(--faint); }
        .grid { stroke: var(--grid); fill: none; }
        .before { fill: var(--before); }
        .after { fill: var(--after); }
        .line { fill: none; stroke-width: 2; }
        .line.before { fill: none; stroke: var(--before); }
        .line.after { fill: none; stroke: var(--after); }
        .spread { stroke: var(--ink); stroke-width: 1.5; }
        """;

    private static final Pattern FORBIDDEN =
            Pattern.compile("[^\\t\\n\\r\\x{20}-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]");

    private final StringBuilder text = new StringBuilder();

    Svg(int width, int height, String title) {
        add(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
                        + " role=\"img\">",
                width, height, width, height);
        add("<title>%s</title>", escape(title));
        add("<style>%n%s</style>", STYLE);
        add("<rect class=\"paper\" width=\"%d\" height=\"%d\"/>", width, height);
        label(16, 26, "start", "title", title);
    }

    Svg label(double x, double y, String anchor, String kind, String said) {
        add("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", kind, x, y, anchor, escape(said));
        return this;
    }

    /// A rectangle; what it stands for is shown by browsers under the pointer.
    Svg bar(double x, double y, double width, double height, String kind, String said) {
        add(
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s</title></rect>",
                kind, x, y, Math.max(0, width), Math.max(0, height), escape(said));
        return this;
    }

    Svg line(double fromX, double fromY, double toX, double toY, String kind) {
        add("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", kind, fromX, fromY, toX, toY);
        return this;
    }

    Svg dot(double x, double y, String kind, String said) {
        add(
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>%s</title></circle>",
                kind, x, y, escape(said));
        return this;
    }

    /// A line through points, pairs of coordinates.
    Svg curve(List<double[]> points, String kind) {
        StringBuilder pairs = new StringBuilder();
        for (double[] point : points) {
            pairs.append(String.format(Locale.ROOT, "%.1f,%.1f ", point[0], point[1]));
        }
        add(
                "<polyline class=\"line %s\" points=\"%s\"/>",
                kind, pairs.toString().strip());
        return this;
    }

    private void add(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }

    /// What XML 1.0 does not allow however it is written becomes U+FFFD.
    static String escape(String said) {
        return FORBIDDEN
                .matcher(said)
                .replaceAll("\uFFFD")
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    @Override
    public String toString() {
        return text + "</svg>\n";
    }
}
