// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.compare.ComparisonReport;
import dev.millrace.compare.ComparisonReport.Decisions;
import dev.millrace.compare.ComparisonReport.Side;
import dev.millrace.compare.Figures;
import dev.millrace.compare.Gate;
import dev.millrace.compare.OutputDifference;
import dev.millrace.compare.Quality;
import dev.millrace.compare.Speed;
import dev.millrace.compare.Timing;
import dev.millrace.model.Batching;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;

/// Writes a [ComparisonReport] for people. Threads: one.
final class ComparisonText {
    private final StringBuilder text = new StringBuilder();

    private ComparisonText() {}

    /// @param report of two models
    static String of(ComparisonReport report, List<Gate.Verdict> verdicts) {
        return new ComparisonText().write(report, report.before().orElseThrow(), verdicts);
    }

    private String write(ComparisonReport report, Side before, List<Gate.Verdict> verdicts) {
        Side after = report.after();
        line("before", before.file().toString());
        line("after", after.file().toString());
        line("rows", Figures.grouped(report.rows()));
        mates("before", before);
        mates("after", after);
        line("decisions", report.decisions().map(ComparisonText::describe).orElse("no output decides"));
        line("processor", report.cpu().name() + ", which " + report.cpu().describe());
        text.append('\n').append(sides(before, after)).append('\n').append(differences(report.differences()));
        if (!report.speeds().isEmpty()) {
            text.append('\n').append(speeds(report.speeds()));
        }
        if (!verdicts.isEmpty()) {
            text.append('\n').append(verdicts(verdicts));
        }
        return text.toString();
    }

    /// Says why each request was run alone.
    private void mates(String name, Side side) {
        if (side.batching().kind() == Batching.Kind.NONE) {
            line(
                    "",
                    "each of them alone, as requests to the model " + name + " are served: "
                            + side.batching().reason());
        }
    }

    private void line(String name, String said) {
        text.append(String.format(Locale.ROOT, "%-12s%s%n", name, ReportText.plain(said)));
    }

    private static String describe(Decisions decisions) {
        return "'" + decisions.output() + "', " + decisions.rule().description() + ": "
                + Figures.grouped(decisions.flips()) + " of " + Figures.grouped(decisions.rows()) + " flipped, "
                + Figures.percent(decisions.share());
    }

    private static Table sides(Side before, Side after) {
        Table table = new Table().row("", "before", "after", "change");
        double ratio = (double) after.bytes() / before.bytes();
        table.row(
                "bytes", Figures.grouped(before.bytes()), Figures.grouped(after.bytes()), "x " + Figures.digits(ratio));
        table.row(
                "batching",
                before.batching().kind().name(),
                after.batching().kind().name());
        quality(table, "accuracy", before, after, Quality::accuracy);
        quality(table, "AUC", before, after, Quality::auc);
        return table;
    }

    private static void quality(
            Table table, String name, Side before, Side after, Function<Quality, OptionalDouble> figure) {
        Optional<Quality> then = before.quality();
        Optional<Quality> now = after.quality();
        if (then.isPresent() && now.isPresent()) {
            OptionalDouble one = figure.apply(then.get());
            OptionalDouble other = figure.apply(now.get());
            String change = one.isEmpty() || other.isEmpty()
                    ? ""
                    : String.format(Locale.ROOT, "%+.4f", other.getAsDouble() - one.getAsDouble());
            table.row(name, Figures.share(one), Figures.share(other), change);
        }
    }

    private static Table differences(List<OutputDifference> outputs) {
        Table table =
                new Table().row("difference", "values", "unequal", "max", "mean", "50 %", "90 %", "99 %", "99.9 %");
        for (OutputDifference output : outputs) {
            table.row(
                    ReportText.plain(output.name()),
                    Figures.grouped(output.elements()),
                    Figures.grouped(output.unequal()),
                    Figures.digits(output.max()),
                    Figures.digits(output.mean()),
                    Figures.digits(output.p50()),
                    Figures.digits(output.p90()),
                    Figures.digits(output.p99()),
                    Figures.digits(output.p999()));
            if (output.odd() > 0) {
                table.row("  NaN or infinite in one alone", "", Figures.grouped(output.odd()));
            }
        }
        return table;
    }

    private static Table speeds(List<Speed> speeds) {
        Table table = new Table().row("rows of a run", "before", "middle half", "after", "middle half", "speedup");
        for (Speed speed : speeds) {
            Timing before = speed.before().orElseThrow();
            table.row(
                    Figures.grouped(speed.rows()),
                    Figures.time(before.median()),
                    half(before),
                    Figures.time(speed.after().median()),
                    half(speed.after()),
                    String.format(Locale.ROOT, "%.2f", speed.speedup().orElseThrow()));
        }
        return table;
    }

    static String half(Timing timing) {
        return Figures.time(timing.low()) + " to " + Figures.time(timing.high());
    }

    private static Table verdicts(List<Gate.Verdict> verdicts) {
        Table table = new Table().row("gate", "wanted", "came", "");
        for (Gate.Verdict verdict : verdicts) {
            table.row(
                    verdict.limit().text(),
                    Figures.digits(verdict.wanted()),
                    Double.isNaN(verdict.came()) ? "-" : Figures.digits(verdict.came()),
                    verdict.problem().map(problem -> "not kept: " + problem).orElse("kept"));
        }
        return table;
    }
}
