// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What came of overloads over HTTP, for a report.
record OverloadHttpReport(OverloadHttp.Findings findings) implements Section {
    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Overload over HTTP\n\n");
        List<Overload.Result> first = findings.trials().values().iterator().next();
        line(
                text,
                "- model: %s; over HTTP a row takes %s µs in a closed loop; requests of %d bytes; one event loop, one"
                        + " agent, the generator beside them",
                findings.model(),
                Cell.whole(first, result -> 1e6 / result.capacity()),
                findings.requestBytes());
        line(
                text,
                "- as above, the load for %.1f s, %d rounds; seen by the generator, from when a request was due",
                first.getFirst().during().nanos() / 1e9,
                first.size());
        line(
                text,
                "- MiB that the server has in RAM before and after all loads: %.0f and %.0f",
                findings.before(),
                findings.after());
        line(text, "- correctness: every answer was compared with the floor's");
        line(text, "");
        line(
                text,
                "| deadline ms | named | load / capacity | in time / capacity | 200 | 429 | 504 |"
                        + " p99 of 200 and 504 / deadline | 429 p50 µs | p99 µs | max µs | normal again after ms |"
                        + " generator late, p99 µs |");
        line(text, "|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        findings.trials().forEach((trial, results) -> row(text, trial, results));
        return text.toString();
    }

    private static void row(StringBuilder text, OverloadHttp.Trial trial, List<Overload.Result> results) {
        double bound = trial.bound().toNanos();
        line(
                text,
                "| %d | %s | %.1f | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |",
                trial.bound().toMillis(),
                trial.tells() ? "yes" : "no",
                trial.load(),
                Cell.decimal(results, Overload.Result::goodput),
                Cell.whole(results, result -> result.during().answered()),
                Cell.whole(results, result -> result.during().refused()),
                Cell.whole(results, result -> result.during().expired()),
                Cell.decimal(results, result -> result.during().accepted().p99() / bound),
                Texts.micros(results, result -> result.during().refusal().p50()),
                Texts.micros(results, result -> result.during().refusal().p99()),
                Texts.micros(results, result -> result.during().refusal().max()),
                Texts.recovery(results),
                Texts.micros(results, result -> result.during().lateness().p99()));
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("overloadHttp");
        json.writeStringField("model", findings.model());
        json.writeNumberField("requestBytes", findings.requestBytes());
        json.writeNumberField("residentMebibytesBefore", findings.before());
        json.writeNumberField("residentMebibytesAfter", findings.after());
        json.writeArrayFieldStart("trials");
        for (Map.Entry<OverloadHttp.Trial, List<Overload.Result>> entry :
                findings.trials().entrySet()) {
            for (Overload.Result result : entry.getValue()) {
                json.writeStartObject();
                json.writeNumberField("deadlineNanos", entry.getKey().bound().toNanos());
                json.writeBooleanField("named", entry.getKey().tells());
                json.writeNumberField("load", entry.getKey().load());
                Texts.write(json, result);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
