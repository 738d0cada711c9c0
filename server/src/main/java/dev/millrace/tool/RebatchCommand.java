// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.convert.Rebatcher;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// `millrace model rebatch`: has a model that takes one row take any number.
@Command(
        name = "rebatch",
        description = "Has a model whose batch dimension is fixed to 1 take any number of rows. OUT is written only if"
                + " random rows give together what IN gives for each alone.",
        footer = "%nExit status: 0 when OUT was written; 1 when the graph does not allow it; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class RebatchCommand implements Callable<Integer> {
    @Mixin
    private Making making;

    @Option(names = "--dimension", paramLabel = "NAME", description = "What the batch dimension is to be called.")
    private String dimension = "batch";

    RebatchCommand() {}

    @Override
    public Integer call() {
        if (dimension.isBlank()) {
            throw new ParameterException(making.command(), "--dimension is empty, expected a name");
        }
        return making.run(this::rebatch);
    }

    private String rebatch(Path in, Path out) throws IOException {
        Rebatcher.Result result = Rebatcher.rebatch(in, out, dimension);
        String same = result.equal()
                ? "equal to the bit"
                : "at most " + MadeText.part(result.difference()) + " of an output's largest value apart";
        String sizes = result.batches().stream().map(String::valueOf).collect(Collectors.joining(", "));
        return new MadeText()
                .files(in, out)
                .line("inputs", dimension + " rows of " + String.join(", ", result.inputs()))
                .line("outputs", dimension + " rows of " + String.join(", ", result.outputs()))
                .line("changed", result.changed().isEmpty() ? "no node" : String.join(", ", result.changed()))
                .line("answers", same + ", random rows together in " + sizes + " beside each alone")
                .toString();
    }
}
