// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.online;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.online.OnlineReads.Timed;
import dev.millrace.bench.report.Section;
import java.io.IOException;
import java.util.Locale;

/// Stored features out of Redis, for a report.
record OnlineReport(OnlineReads.Findings found) implements Section {
    private static final double MILLIS = 1e6;
    private static final double P50 = 0.5;
    private static final double P99 = 0.99;
    /// Of Feast's server in Python, tuned and with precomputed vectors, on other machines with Redis in the cluster, as
    /// its project publishes them: p50 and p99 in milliseconds, by the rows of [OnlineReads#ROWS].
    private static final double[][] FEAST = {{0.98, 1.70}, {1.81, 2.07}, {9.48, 114}, {40, 198}};

    private Timed timed(int rows, boolean whole) {
        return found.timed().stream()
                .filter(each -> each.rows() == rows && each.whole() == whole)
                .findFirst()
                .orElseThrow();
    }

    private static double millis(Timed timed, double quantile) {
        long[] nanos = timed.nanos();
        return nanos[(int) Math.min(nanos.length - 1, quantile * nanos.length)] / MILLIS;
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Stored features out of Redis\n\n");
        line(text, "`POST /get-online-features`, 50 features of 5 views, on one connection, a real Redis on the same");
        line(
                text,
                "machine; in turns with a plain client that asks Redis for the same. Feast's are published figures of");
        line(text, "its server with precomputed vectors, on other machines.");
        line(text, "");
        line(text, "| rows | requests | p50 ms | p99 ms | Redis alone, p50 | p99 | p50 of it | Feast p50 | p99 |");
        line(text, "|---|---|---|---|---|---|---|---|---|");
        for (int i = 0; i < OnlineReads.ROWS.length; i++) {
            int rows = OnlineReads.ROWS[i];
            Timed whole = timed(rows, true);
            Timed alone = timed(rows, false);
            line(
                    text,
                    "| %d | %,d | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |",
                    rows,
                    whole.nanos().length,
                    millis(whole, P50),
                    millis(whole, P99),
                    millis(alone, P50),
                    millis(alone, P99),
                    millis(whole, P50) / millis(alone, P50),
                    FEAST[i][0],
                    FEAST[i][1]);
        }
        return text.toString();
    }

    /// Slower than what Feast publishes.
    @Override
    public String broken() {
        for (int i = 0; i < OnlineReads.ROWS.length; i++) {
            Timed whole = timed(OnlineReads.ROWS[i], true);
            if (millis(whole, P50) > FEAST[i][0] || millis(whole, P99) > FEAST[i][1]) {
                return String.format(
                        Locale.ROOT,
                        "stored features of %d rows take %.2f ms, p99 %.2f; Feast publishes %.2f and %.2f",
                        OnlineReads.ROWS[i],
                        millis(whole, P50),
                        millis(whole, P99),
                        FEAST[i][0],
                        FEAST[i][1]);
            }
        }
        return "";
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("onlineFeatures");
        for (Timed timed : found.timed()) {
            json.writeStartObject();
            json.writeNumberField("rows", timed.rows());
            json.writeBooleanField("redisAlone", !timed.whole());
            json.writeNumberField("requests", timed.nanos().length);
            json.writeNumberField("p50Millis", millis(timed, P50));
            json.writeNumberField("p99Millis", millis(timed, P99));
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
