// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.convert.GraphOptimizer;
import dev.millrace.convert.GraphOptimizer.Level;
import dev.millrace.ort.OrtRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// `millrace model optimize`: has ONNX Runtime optimise a graph once and for all.
@Command(
        name = "optimize",
        description = "Writes the graph as ONNX Runtime optimises it, so that it need not be at every load.",
        footer = "%nExit status: 0 when OUT was written; 1 when not; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class OptimizeCommand implements Callable<Integer> {
    @Mixin
    private Making making;

    @Option(
            names = "--level",
            paramLabel = "LEVEL",
            description = "basic: what holds for any engine; extended: operators are fused, too, into those of ONNX"
                    + " Runtime; all: tensors are laid out for this kind of processor, too, and OUT is for it only.")
    private String level = "extended";

    OptimizeCommand() {}

    @Override
    public Integer call() {
        return making.run(this::optimize);
    }

    private Level level() {
        for (Level each : Level.values()) {
            if (each.name().toLowerCase(Locale.ROOT).equals(level)) {
                return each;
            }
        }
        throw new ParameterException(making.command(), "--level is '" + level + "', expected basic, extended or all");
    }

    private String optimize(Path in, Path out) throws IOException {
        Level chosen = level();
        GraphOptimizer.Result result = GraphOptimizer.optimize(in, out, chosen);
        MadeText text = new MadeText()
                .files(in, out)
                .line("nodes", result.nodes() + ", before " + result.nodesBefore())
                .agreement(result.agreement());
        String by = "ONNX Runtime " + OrtRuntime.version();
        switch (chosen) {
            case BASIC -> text.line("runs on", "any engine that runs the model");
            case EXTENDED -> text.line("runs on", by + " and newer, on any processor; it has operators of its own");
            case ALL ->
                text.line(
                        "runs on",
                        "this kind of processor only, with " + by
                                + "; with optimization.graph.level 2 it is loaded as it is");
        }
        return text.toString();
    }
}
