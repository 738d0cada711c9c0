// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.convert.HalfPrecision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// `millrace model convert`: has a model work in half precision inside.
@Command(
        name = "convert",
        description = "Has a model work in half precision inside. Inputs and outputs stay as they are; what does not"
                + " work in half precision stays float, with casts around it.",
        footer = "%nExit status: 0 when OUT was written; 1 when not; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class ConvertCommand implements Callable<Integer> {
    @Mixin
    private Making making;

    @Option(names = "--fp16", required = true, description = "To half precision, FLOAT16.")
    private boolean fp16;

    @Option(
            names = "--tolerance",
            paramLabel = "PART",
            description = "How far answers may be from those of IN, as a part of an output's largest value, for OUT to"
                    + " be written.")
    private double tolerance = HalfPrecision.TOLERANCE;

    ConvertCommand() {}

    @Override
    public Integer call() {
        if (!fp16) {
            throw new ParameterException(making.command(), "--fp16 is false, expected nothing or true");
        }
        if (!(tolerance >= 0)) {
            throw new ParameterException(making.command(), "--tolerance is " + tolerance + ", expected 0 or more");
        }
        return making.run(this::convert);
    }

    private String convert(Path in, Path out) throws IOException {
        HalfPrecision.Result result = HalfPrecision.convert(in, out, tolerance);
        String kept = result.kept().entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .sorted()
                .collect(Collectors.joining(", "));
        if (result.outOfRange() > 0) {
            kept += "; " + result.outOfRange() + " of them for numbers beyond 65504";
        }
        if (result.exact() > 0) {
            kept += "; " + result.exact() + " of them for whole numbers, which halves round beyond 2048";
        }
        String raised = result.raised() == 0
                ? ""
                : String.format(Locale.ROOT, ", %,d of their values raised to 6e-8", result.raised());
        MadeText text = new MadeText()
                .files(in, out)
                .line("halves", result.nodes() + " nodes, " + result.constants() + " constants" + raised)
                .line("kept float", kept.isEmpty() ? "no node" : kept);
        if (result.defaults() > 0) {
            text.line(
                    "inputs",
                    "constants among them: " + result.defaults()
                            + ", which requests may replace; they stay float, with a cast in every run");
        }
        return text.line("casts", String.valueOf(result.casts()))
                .agreement(result.agreement())
                .toString();
    }
}
