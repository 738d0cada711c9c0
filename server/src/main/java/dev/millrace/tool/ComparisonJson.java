// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.compare.ComparisonReport;
import dev.millrace.compare.ComparisonReport.Decisions;
import dev.millrace.compare.ComparisonReport.Side;
import dev.millrace.compare.Gate;
import dev.millrace.compare.OutputDifference;
import dev.millrace.compare.Quality;
import dev.millrace.compare.Speed;
import dev.millrace.compare.Timing;
import dev.millrace.json.JsonWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/// Writes a [ComparisonReport] as JSON. What is not known, or is no finite number, is null. Threads: one.
final class ComparisonJson {
    private final JsonWriter json = new JsonWriter();

    private ComparisonJson() {}

    static String of(ComparisonReport report, List<Gate.Verdict> verdicts) {
        ComparisonJson writer = new ComparisonJson();
        writer.write(report, verdicts);
        return new String(writer.json.toBytes(), StandardCharsets.UTF_8);
    }

    private void write(ComparisonReport report, List<Gate.Verdict> verdicts) {
        json.raw("{\"before\":");
        report.before().ifPresentOrElse(this::side, () -> json.raw("null"));
        json.raw(",\"after\":");
        side(report.after());
        json.raw(",\"rows\":").number(report.rows());
        json.raw(",\"differences\":");
        array(report.differences(), this::difference);
        json.raw(",\"decisions\":");
        report.decisions().ifPresentOrElse(this::decisions, () -> json.raw("null"));
        json.raw(",\"latency\":");
        array(report.speeds(), this::speed);
        json.raw(",\"cpu\":{\"name\":").string(report.cpu().name());
        json.raw(",\"int8\":").string(report.cpu().bytes().name());
        json.raw("},\"gates\":");
        array(verdicts, this::verdict);
        json.raw('}');
    }

    private void side(Side side) {
        json.raw("{\"file\":").string(side.file().toString());
        json.raw(",\"bytes\":").number(side.bytes());
        json.raw(",\"batching\":").string(side.batching().kind().name());
        json.raw(",\"quality\":");
        side.quality().ifPresentOrElse(this::quality, () -> json.raw("null"));
        json.raw('}');
    }

    private void quality(Quality quality) {
        json.raw("{\"rows\":").number(quality.rows());
        json.raw(",\"accuracy\":");
        number(quality.accuracy());
        json.raw(",\"auc\":");
        number(quality.auc());
        json.raw('}');
    }

    private void difference(OutputDifference output) {
        json.raw("{\"output\":").string(output.name());
        json.raw(",\"values\":").number(output.elements());
        json.raw(",\"unequal\":").number(output.unequal());
        json.raw(",\"odd\":").number(output.odd());
        field("max", output.max());
        field("mean", output.mean());
        field("p50", output.p50());
        field("p90", output.p90());
        field("p99", output.p99());
        field("p99_9", output.p999());
        json.raw('}');
    }

    private void decisions(Decisions decisions) {
        json.raw("{\"output\":").string(decisions.output());
        json.raw(",\"rule\":").string(decisions.rule().name().toLowerCase(Locale.ROOT));
        json.raw(",\"rows\":").number(decisions.rows());
        json.raw(",\"flips\":").number(decisions.flips());
        field("share", decisions.share());
        json.raw('}');
    }

    private void speed(Speed speed) {
        json.raw("{\"rows\":").number(speed.rows());
        json.raw(",\"before\":");
        speed.before().ifPresentOrElse(this::timing, () -> json.raw("null"));
        json.raw(",\"after\":");
        timing(speed.after());
        json.raw(",\"speedup\":");
        number(speed.speedup());
        json.raw('}');
    }

    private void timing(Timing timing) {
        json.raw("{\"median_ns\":").number(Math.round(timing.median()));
        json.raw(",\"p25_ns\":").number(Math.round(timing.low()));
        json.raw(",\"p75_ns\":").number(Math.round(timing.high()));
        json.raw(",\"samples\":").number(timing.samples());
        json.raw(",\"runs_per_sample\":").number(timing.runs()).raw('}');
    }

    private void verdict(Gate.Verdict verdict) {
        json.raw("{\"gate\":").string(verdict.limit().text());
        field("wanted", verdict.wanted());
        field("came", verdict.came());
        json.raw(",\"kept\":").bool(verdict.problem().isEmpty());
        json.raw(",\"problem\":");
        verdict.problem().ifPresentOrElse(json::string, () -> json.raw("null"));
        json.raw('}');
    }

    private void field(String name, double value) {
        json.raw(",\"" + name + "\":");
        number(OptionalDouble.of(value));
    }

    private void number(OptionalDouble value) {
        if (value.isPresent() && Double.isFinite(value.getAsDouble())) {
            json.number(value.getAsDouble());
        } else {
            json.raw("null");
        }
    }

    private <T> void array(List<T> values, Consumer<T> value) {
        json.raw('[');
        for (int i = 0; i < values.size(); i++) {
            if (i > 0) {
                json.raw(',');
            }
            value.accept(values.get(i));
        }
        json.raw(']');
    }
}
