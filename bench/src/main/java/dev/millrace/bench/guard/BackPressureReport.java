// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.promise.PacedLines;
import dev.millrace.bench.report.Section;
import java.io.IOException;
import java.util.Map;

/// What came of bad clients, for a report.
record BackPressureReport(BackPressure.Findings findings) implements Section {
    private static final double NANOS = 1e9;
    /// How much later than its limit a connection may be cut: all are looked at once a second.
    private static final double MOST_LATE_SECONDS = 1;
    /// The client sees it in steps, and counts from when it had sent rather than from when the server saw that.
    private static final double STEP_SECONDS = 0.1;
    /// What a connection may take: what is under way of one that does not read, 1 MiB of bodies and as much in answers,
    /// each as tensors, too.
    private static final double MEBIBYTES_EACH = 4;

    @Override
    public String broken() {
        Text broken = new Text();
        findings.kinds().forEach((kind, result) -> broken(broken, kind, result));
        return broken.stripped();
    }

    private static void broken(Text broken, BackPressure.Kind kind, BackPressure.Result result) {
        double earliest = result.earliest() / NANOS;
        double latest = result.cut().max() / NANOS;
        if (result.cut().count() < result.connections()
                || earliest < kind.seconds() - STEP_SECONDS
                || latest > kind.seconds() + MOST_LATE_SECONDS + STEP_SECONDS) {
            broken.line(
                    "who %s: %d of %d were cut, after %.2f to %.2f s instead of %d.",
                    kind.title(), result.cut().count(), result.connections(), earliest, latest, kind.seconds());
        }
        double most = MEBIBYTES_EACH * result.connections();
        if (!(result.residentGrowth() <= most)) {
            broken.line("who %s: the server grew by %.1f MiB.", kind.title(), result.residentGrowth());
        }
        if (result.left() > 0) {
            broken.line("who %s: %d requests were left in flight.", kind.title(), result.left());
        }
        if (result.others().failed() > 0) {
            broken.line(
                    "who %s: %d requests of others failed: %s.",
                    kind.title(), result.others().failed(), result.others().problem());
        }
    }

    @Override
    public String markdown() {
        Text text =
                new Text().line("## Clients that do not let the server get on").line("");
        text.line(
                "As many at a time as the table says, and beside them others that ask a small model %,.0f times a"
                    + " second by eight connections; requests of who does not read have 64 KiB, and so have their"
                    + " answers. Cut: counted from the last byte that was taken of it, from the first that came"
                    + " slowly, or from the answer. `--min-rate` is 64 MiB: what the kernel takes of an answer counts"
                    + " as taken, and at the default of 4 KiB a second each megabyte of it is worth four minutes more."
                    + " MiB in RAM and native memory are looked at every 10 and 50 ms.",
                findings.rate());
        text.head(
                "who",
                "connections",
                "limit",
                "cut",
                "after s, first",
                "p50",
                "last",
                "told 408",
                "KiB taken of each",
                "MiB in RAM more, at most",
                "native MiB, at most",
                "in flight afterwards");
        findings.kinds()
                .forEach((kind, result) -> text.line(
                        "| %s | %d | `%s %ds` | %d | %.2f | %.2f | %.2f | %d | %,.1f | %.1f | %.1f | %d |",
                        kind.title(),
                        result.connections(),
                        kind.option(),
                        kind.seconds(),
                        result.cut().count(),
                        result.earliest() / NANOS,
                        result.cut().p50() / NANOS,
                        result.cut().max() / NANOS,
                        result.told(),
                        result.sentBytes() / 1024.0 / result.connections(),
                        result.residentGrowth(),
                        result.owned() / (double) (1 << 20),
                        result.left()));
        text.head("others, beside who", "requests", "failed", "p50 µs", "p99 µs", "max µs", "p99 / without");
        row(text, "nobody", findings.alone());
        findings.kinds().forEach((kind, result) -> row(text, kind.title(), result.others()));
        return text.toString();
    }

    private void row(Text text, String who, PacedLines.Answers answers) {
        text.line(
                "| %s | %,d | %d | %s | %s | %s | %.2f |",
                who,
                answers.nanos().length,
                answers.failed(),
                Text.micros(answers.percentiles().p50()),
                Text.micros(answers.percentiles().p99()),
                Text.micros(answers.percentiles().max()),
                (double) answers.percentiles().p99()
                        / findings.alone().percentiles().p99());
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("backPressure");
        json.writeNumberField("rate", findings.rate());
        findings.alone().percentiles().write(json, "alone");
        json.writeArrayFieldStart("kinds");
        for (Map.Entry<BackPressure.Kind, BackPressure.Result> entry :
                findings.kinds().entrySet()) {
            BackPressure.Result result = entry.getValue();
            json.writeStartObject();
            json.writeStringField("kind", entry.getKey().name());
            json.writeNumberField("limitSeconds", entry.getKey().seconds());
            json.writeNumberField("connections", result.connections());
            result.cut().write(json, "cut");
            json.writeNumberField("earliestNanos", result.earliest());
            json.writeNumberField("told", result.told());
            json.writeNumberField("sentBytes", result.sentBytes());
            json.writeNumberField("residentMebibytesMore", result.residentGrowth());
            json.writeNumberField("ownedBytes", result.owned());
            json.writeNumberField("inFlightAfterwards", result.left());
            json.writeNumberField("othersFailed", result.others().failed());
            result.others().percentiles().write(json, "others");
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }
}
