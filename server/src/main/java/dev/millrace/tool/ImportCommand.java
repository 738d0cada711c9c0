// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OnnxValue.Dimension;
import dev.millrace.trees.ImportOptions;
import dev.millrace.trees.InvalidDumpException;
import dev.millrace.trees.TreeImport;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace model import`: ensembles of trees, from what LightGBM and XGBoost save.
@Command(
        name = "import",
        description = "Makes a model of an ensemble of trees that LightGBM or XGBoost has saved. It takes every row the"
                + " way that the library does.",
        footer = "%nExit status: 0 when the model is written; 1 when not, because the file is no such ensemble, cannot"
                + " be imported, or a file cannot be read or written; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class ImportCommand implements Callable<Integer> {
    /// Where the ensemble is: one of both.
    private static final class Dump {
        @Option(
                names = "--lightgbm",
                paramLabel = "FILE",
                required = true,
                description = "The text that LightGBM's save_model writes.")
        private Path lightGbm;

        @Option(
                names = "--xgboost",
                paramLabel = "FILE",
                required = true,
                description = "The JSON that XGBoost's save_model writes, with gbtree or dart as the booster.")
        private Path xgboost;
    }

    @ArgGroup(multiplicity = "1")
    private Dump dump;

    @Parameters(paramLabel = "OUT", description = "The model, an ONNX file. One that is there is replaced.")
    private Path out;

    @Option(names = "--input", paramLabel = "NAME", description = "What the model's input is called.")
    private String input = ImportOptions.DEFAULT.input();

    @Option(
            names = "--raw-score",
            description = "Give the sums of the trees, as 'y', rather than what the objective makes of them.")
    private boolean rawScore;

    @Spec
    private CommandSpec spec;

    ImportCommand() {}

    @Override
    public Integer call() {
        ImportOptions options = options();
        Path from = dump.lightGbm == null ? dump.xgboost : dump.lightGbm;
        try (OnnxFile model =
                dump.lightGbm == null ? TreeImport.xgboost(from, options) : TreeImport.lightGbm(from, options)) {
            return write(model);
        } catch (NoSuchFileException _) {
            return complain(from, "there is no such file");
        } catch (IOException e) {
            return complain(from, "it cannot be read: " + e.getMessage());
        } catch (InvalidDumpException e) {
            return complain(from, e.getMessage());
        }
    }

    private ImportOptions options() {
        try {
            return new ImportOptions(input, rawScore);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--input: " + e.getMessage(), e);
        }
    }

    private int write(OnnxFile model) {
        try {
            model.write(out);
        } catch (IOException e) {
            return complain(out, "it cannot be written: " + e.getMessage());
        }
        spec.commandLine()
                .getOut()
                .println(ReportText.plain(out + ": " + values(model.graph().inputs()) + " -> "
                        + values(model.graph().outputs()) + ", objective "
                        + model.metadata().get("objective")));
        spec.commandLine().getOut().flush();
        return ExitCode.OK;
    }

    private static String values(List<OnnxValue> values) {
        return values.stream()
                .map(value -> value.name() + " " + value.type() + " "
                        + value.shape().orElseThrow().stream()
                                .map(ImportCommand::dimension)
                                .toList())
                .collect(Collectors.joining(", "));
    }

    private static String dimension(Dimension dimension) {
        return dimension.size() < 0 ? dimension.name() : Long.toString(dimension.size());
    }

    private int complain(Path file, String problem) {
        spec.commandLine().getErr().println("millrace: " + file + ": " + ReportText.plain(problem));
        return ExitCode.SOFTWARE;
    }
}
