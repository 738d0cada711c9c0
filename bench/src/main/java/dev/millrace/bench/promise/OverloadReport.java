// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.report.Spread;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What came of overloads, for a report.
record OverloadReport(Overload.Findings findings) implements Section {
    /// The load for which it is promised.
    private static final double PROMISED_LOAD = 2;

    private static final double LEAST_GOODPUT = 0.9;
    private static final double MOST_REFUSAL_NANOS = 1e6;
    private static final double MOST_RECOVERY_NANOS = 1e9;
    /// What the process may have grown by and still be called as large as before.
    private static final double FLAT = 0.01;

    @Override
    public String broken() {
        StringBuilder broken = new StringBuilder();
        findings.trials().forEach((trial, results) -> {
            if (trial.who() == Overload.Who.DEADLINES && trial.load() == PROMISED_LOAD) {
                broken(broken, trial, results);
            }
        });
        double before = findings.before().resident();
        double after = findings.after().resident();
        double ownedBefore = findings.before().owned();
        double ownedAfter = findings.after().owned();
        if (!(after <= (1 + FLAT) * before) || ownedAfter > ownedBefore) {
            line(
                    broken,
                    "MiB in RAM were %.1f and are %.1f, native memory %.1f and %.1f.",
                    before,
                    after,
                    ownedBefore,
                    ownedAfter);
        }
        return broken.toString().strip();
    }

    private static void broken(StringBuilder broken, Overload.Trial trial, List<Overload.Result> results) {
        double goodput = Spread.of(results, Overload.Result::goodput).median();
        double accepted =
                Spread.of(results, result -> result.during().accepted().p99()).median();
        double refusal =
                Spread.of(results, result -> result.during().refusal().p99()).median();
        double recovery = Spread.of(results, Overload.Result::recoveryNanos).median();
        long millis = trial.bound().toMillis();
        if (goodput < LEAST_GOODPUT) {
            line(broken, "%d ms: %.3f of the capacity is answered in time.", millis, goodput);
        }
        if (accepted > trial.bound().toNanos()) {
            line(broken, "%d ms: p99 of the accepted is %.3f ms.", millis, accepted / 1e6);
        }
        if (!(refusal < MOST_REFUSAL_NANOS)) {
            line(broken, "%d ms: p99 of refusals is %.3f ms.", millis, refusal / 1e6);
        }
        if (recovery > MOST_RECOVERY_NANOS) {
            line(broken, "%d ms: a second after the load all is not as it was before.", millis);
        }
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("## Overload\n\n");
        List<Overload.Result> first = findings.trials().values().iterator().next();
        line(
                text,
                "- model: %s, a row takes %s µs in a closed loop; one agent, and one thread that generates",
                findings.model(),
                Cell.whole(first, result -> 1e6 / result.capacity()));
        line(
                text,
                "- open loop, Poisson: half the capacity, then the load for %.1f s, then half the capacity again;"
                        + " median (min–max) of %d rounds",
                first.getFirst().during().nanos() / 1e9,
                first.size());
        line(text, "- in time: from when a request was due to its answer, at most the deadline; refused by `submit`");
        line(
                text,
                "- MiB in RAM before and after all loads: %.0f and %.0f; owned native memory: %.1f and %.1f",
                findings.before().resident(),
                findings.after().resident(),
                findings.before().owned(),
                findings.after().owned());
        line(text, "- correctness: every answer was compared with the floor's");
        line(text, "");
        line(
                text,
                "| who | deadline ms | load / capacity | in time / capacity | refused | of the accepted expired |"
                        + " p99 of the accepted / deadline | refusal p50 µs | p99 µs | max µs | normal again after ms |"
                        + " generator late, p99 µs |");
        line(text, "|---|---|---|---|---|---|---|---|---|---|---|---|");
        findings.trials().forEach((trial, results) -> row(text, trial, results));
        return text.toString();
    }

    private static void row(StringBuilder text, Overload.Trial trial, List<Overload.Result> results) {
        double bound = trial.bound().toNanos();
        line(
                text,
                "| %s | %d | %.1f | %s | %s | %s | %s | %s | %s | %s | %s | %s |",
                trial.who().title(),
                trial.bound().toMillis(),
                trial.load(),
                Cell.decimal(results, Overload.Result::goodput),
                Cell.decimal(results, result -> result.during().refusedShare()),
                Cell.decimal(results, result -> result.during().expiredShare()),
                Cell.decimal(results, result -> result.during().accepted().p99() / bound),
                Texts.micros(results, result -> result.during().refusal().p50()),
                Texts.micros(results, result -> result.during().refusal().p99()),
                Texts.micros(results, result -> result.during().refusal().max()),
                Texts.recovery(results),
                Texts.micros(results, result -> result.during().lateness().p99()));
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("overload");
        json.writeStringField("model", findings.model());
        write(json, "memoryBefore", findings.before());
        write(json, "memoryAfter", findings.after());
        json.writeArrayFieldStart("trials");
        for (Map.Entry<Overload.Trial, List<Overload.Result>> entry :
                findings.trials().entrySet()) {
            for (Overload.Result result : entry.getValue()) {
                json.writeStartObject();
                json.writeStringField("who", entry.getKey().who().name());
                json.writeNumberField("deadlineNanos", entry.getKey().bound().toNanos());
                json.writeNumberField("load", entry.getKey().load());
                Texts.write(json, result);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String name, Overload.Memory memory) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("residentMebibytes", memory.resident());
        json.writeNumberField("ownedMebibytes", memory.owned());
        json.writeEndObject();
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
