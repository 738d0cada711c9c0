// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

/// Prometheus' text format, as it is written. Threads: one at a time.
final class MetricText {
    private final StringBuilder text = new StringBuilder();

    void clear() {
        text.setLength(0);
    }

    /// What comes before a metric's lines.
    void head(String name, String type, String help) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    void line(String name, String labels, long value) {
        line(name, labels).append(value).append('\n');
    }

    void line(String name, String labels, double value) {
        line(name, labels).append(value).append('\n');
    }

    private StringBuilder line(String name, String labels) {
        text.append(name);
        if (!labels.isEmpty()) {
            text.append('{').append(labels).append('}');
        }
        return text.append(' ');
    }

    /// The labels of a model version.
    static String labels(String model, long version) {
        return label("model", model) + "," + label("version", Long.toString(version));
    }

    static String label(String name, String value) {
        return name + "=\"" + escaped(value) + '"';
    }

    static String escaped(String label) {
        return label.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
