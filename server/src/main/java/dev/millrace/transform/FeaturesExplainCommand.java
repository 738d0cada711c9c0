// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.features.Explanation;
import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace features explain`: what becomes of one row, step by step.
@Command(
        name = "explain",
        description = "Prints what a specification's features make of one row: raw values, what treatments and"
                + " transforms made of them, and the columns.",
        footer = "%nExit status: 0 when the row has columns; 1 when it is rejected, or the specification, the row or"
                + " the store is not what is expected; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class FeaturesExplainCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SPEC", description = "The specification's file, or the folder with features.yaml.")
    private Path path;

    @Option(
            names = "--row",
            required = true,
            paramLabel = "JSON",
            description = "An object of the request's raw values, by the fields' names. What is not in it is null;"
                    + " " + FieldBinding.REQUEST_TIME + " is now if it is not. Times are as 2026-01-31T12:00:00Z, or"
                    + " microseconds since 1970.")
    private String json;

    @Option(
            names = "--store",
            paramLabel = "DIR",
            description = "The embedded feature store that has the values of views of kind store.")
    private Path store;

    @Option(names = "--json", description = "Print JSON.")
    private boolean asJson;

    @Spec
    private CommandSpec spec;

    FeaturesExplainCommand() {}

    @Override
    public Integer call() {
        return Complaints.run(spec, this::explain);
    }

    private int explain() throws IOException {
        FeaturePlan plan = SpecFile.plan(path);
        try (StoredViews views = StoredViews.open(store)) {
            FeatureRow row = plan.newRow(views);
            new RowText(plan, json).fill(row, ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()));
            Explanation explanation = plan.explain(row);
            PrintWriter to = spec.commandLine().getOut();
            to.print(asJson ? explanation.toJson() + "\n" : ExplanationTable.of(explanation));
            to.flush();
            return explanation.problem() == null ? ExitCode.OK : ExitCode.SOFTWARE;
        }
    }
}
