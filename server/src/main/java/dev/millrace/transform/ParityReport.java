// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.json.JsonWriter;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.transform.ParityColumn.Example;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// How serving compares with training, as a text or as JSON. Threads: immutable, any.
///
/// @param test what was compared with the base
/// @param events how many events the base was joined from
/// @param ahead how many of them were created before their event time
/// @param tolerance how far values might be apart
record ParityReport(FeatureSpec spec, String test, long events, long ahead, double tolerance, Parity.Result result) {
    private static final String[] DELTAS = {"p50", "p90", "p99", "max"};
    private static final int LABEL_WIDTH = 12;
    private static final int NUMBER_WIDTH = 11;

    String text() {
        StringBuilder to = new StringBuilder();
        line(to, "features", spec.toString());
        line(
                to,
                "base",
                "point-in-time join of " + grouped(events) + " events"
                        + (ahead == 0 ? "" : "; " + grouped(ahead) + " were created before their event time"));
        line(to, "test", test);
        line(to, "rows", grouped(result.rows()) + ", " + grouped(result.unequal()) + " of them not equal");
        if (result.baseRejected() + result.testRejected() > 0) {
            line(
                    to,
                    "rejected",
                    grouped(result.baseRejected()) + " in the base, " + grouped(result.testRejected())
                            + " in the test, first " + result.problem());
        }
        table(to);
        for (ParityColumn column : result.columns()) {
            for (Example example : column.examples()) {
                to.append(Complaints.plain(column.name() + " of " + example.place() + ": base " + value(example.base())
                                + ", test " + value(example.test())))
                        .append('\n');
            }
        }
        line(to, "result", result.isEqual() ? "serving equals training" : "serving differs from training");
        return to.toString();
    }

    private void table(StringBuilder to) {
        int width = result.columns().stream()
                .mapToInt(column -> column.name().length())
                .max()
                .orElse(0);
        width = Math.max(width, "column".length());
        to.append(padded("column", width));
        for (String head : new String[] {"match", "mismatch", "base only", "test only", "p50", "p90", "p99", "max"}) {
            to.append(' ').append(" ".repeat(NUMBER_WIDTH - head.length())).append(head);
        }
        to.append('\n');
        for (ParityColumn column : result.columns()) {
            to.append(padded(column.name(), width));
            number(to, grouped(column.matches()));
            number(to, grouped(column.mismatches()));
            number(to, grouped(column.baseOnly()));
            number(to, grouped(column.testOnly()));
            for (double delta : column.deltas()) {
                number(to, String.format(Locale.ROOT, "%.4g", delta));
            }
            to.append('\n');
        }
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(width - text.length());
    }

    private static void number(StringBuilder to, String text) {
        to.append(' ')
                .append(" ".repeat(Math.max(0, NUMBER_WIDTH - text.length())))
                .append(text);
    }

    private static void line(StringBuilder to, String label, String said) {
        to.append(padded(label, LABEL_WIDTH)).append(Complaints.plain(said)).append('\n');
    }

    private static String value(float value) {
        return Float.isNaN(value) ? "none" : Float.toString(value);
    }

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    String json() {
        JsonWriter json = new JsonWriter().raw("{\"spec\":").string(spec.name());
        json.raw(",\"version\":").number(spec.version());
        json.raw(",\"digest\":").string(spec.digest());
        json.raw(",\"test\":").string(test);
        json.raw(",\"events\":").number(events);
        json.raw(",\"created_before_event_time\":").number(ahead);
        json.raw(",\"tolerance\":").number(tolerance);
        json.raw(",\"rows\":").number(result.rows());
        json.raw(",\"unequal_rows\":").number(result.unequal());
        json.raw(",\"rejected\":{\"base\":").number(result.baseRejected());
        json.raw(",\"test\":").number(result.testRejected()).raw('}');
        json.raw(",\"equal\":").bool(result.isEqual());
        json.raw(",\"columns\":[");
        String separator = "";
        for (ParityColumn column : result.columns()) {
            json.raw(separator);
            column(json, column);
            separator = ",";
        }
        return new String(json.raw("]}\n").toBytes(), StandardCharsets.UTF_8);
    }

    private static void column(JsonWriter json, ParityColumn column) {
        json.raw("{\"name\":").string(column.name());
        json.raw(",\"match\":").number(column.matches());
        json.raw(",\"mismatch\":").number(column.mismatches());
        json.raw(",\"base_only\":").number(column.baseOnly());
        json.raw(",\"test_only\":").number(column.testOnly());
        double[] deltas = column.deltas();
        if (deltas.length > 0) {
            json.raw(",\"delta\":{");
            for (int i = 0; i < deltas.length; i++) {
                json.raw(i > 0 ? "," : "").string(DELTAS[i]).raw(':').number(deltas[i]);
            }
            json.raw('}');
        }
        json.raw(",\"examples\":[");
        String separator = "";
        for (Example example : column.examples()) {
            json.raw(separator).raw("{\"row\":").string(example.place());
            number(json.raw(",\"base\":"), example.base());
            number(json.raw(",\"test\":"), example.test());
            json.raw('}');
            separator = ",";
        }
        json.raw("]}");
    }

    private static void number(JsonWriter json, float value) {
        if (Float.isNaN(value)) {
            json.raw("null");
        } else {
            json.number(value);
        }
    }
}
