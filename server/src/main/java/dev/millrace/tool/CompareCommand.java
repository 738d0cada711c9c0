// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.compare.Comparison;
import dev.millrace.compare.ComparisonReport;
import dev.millrace.compare.Figures;
import dev.millrace.compare.Gate;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace model compare`: runs two models on the same data, and tells whether the one is worth taking the other's
/// place.
@Command(
        name = "compare",
        description = "Compares two models on data: how far their answers differ, which decisions change, what that"
                + " costs in quality, and what it gains in size and time on this processor.",
        footer = "%nExit status: 0 when they were compared, and all gates were kept; 1 when one was not, or they cannot"
                + " be compared; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class CompareCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "BEFORE", description = "The model that is there, an ONNX file.")
    private Path before;

    @Parameters(index = "1", paramLabel = "AFTER", description = "The model that is to take its place.")
    private Path after;

    @Mixin
    private ComparedData data;

    @Option(
            names = "--gate",
            paramLabel = "LIMITS",
            description = "What AFTER has to keep, as in max-accuracy-drop=0.005,min-speedup=1.5; also max-auc-drop,"
                    + " max-flips (a share), max-difference, max-size (a share).")
    private String gate;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    CompareCommand() {}

    @Override
    public Integer call() {
        Gate limits = gate();
        return Complaints.of(spec).run(() -> {
            data.tryOut(before);
            data.tryOut(after);
            ComparisonReport report =
                    data.of(Comparison.of(before, after, data.file()), spec).run();
            List<Gate.Verdict> verdicts = limits == null ? List.of() : limits.judge(report);
            String text = json ? ComparisonJson.of(report, verdicts) : ComparisonText.of(report, verdicts);
            spec.commandLine().getOut().println(text.stripTrailing());
            spec.commandLine().getOut().flush();
            return judge(verdicts);
        });
    }

    private Gate gate() {
        try {
            return gate == null ? null : Gate.parse(gate);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--gate: " + e.getMessage());
        }
    }

    private int judge(List<Gate.Verdict> verdicts) {
        int status = ExitCode.OK;
        for (Gate.Verdict verdict : verdicts) {
            if (verdict.problem().isPresent()) {
                String came = Double.isNaN(verdict.came()) ? "" : " is " + Figures.digits(verdict.came());
                spec.commandLine()
                        .getErr()
                        .println("millrace: gate " + verdict.limit().text() + "=" + Figures.digits(verdict.wanted())
                                + came + ": " + verdict.problem().get());
                status = ExitCode.SOFTWARE;
            }
        }
        return status;
    }
}
