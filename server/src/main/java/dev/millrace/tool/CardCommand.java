// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.compare.Comparison;
import dev.millrace.compare.ComparisonReport;
import dev.millrace.compare.ModelCard;
import dev.millrace.inspect.ModelReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace model card`: writes down what is to be known of a model.
@Command(
        name = "card",
        description =
                "Writes a model card: what a model is, how good it is on data, how far it is from another, and how"
                        + " fast, as Markdown with plots in files beside it.",
        footer = "%nExit status: 0 when it was written; 1 when not; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class CardCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "MODEL", description = "The model, an ONNX file.")
    private Path model;

    @Option(names = "--against", paramLabel = "FLOAT", description = "The model that it was made from.")
    private Path against;

    @Mixin
    private ComparedData data;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description =
                    "Where the card goes; FILE-latency.svg and others, without the end of the name, go beside it.")
    private Path out;

    @Spec
    private CommandSpec spec;

    CardCommand() {}

    @Override
    public Integer call() {
        return Complaints.of(spec).run(() -> {
            Path folder = out.toAbsolutePath().getParent();
            if (!Files.isDirectory(folder)) {
                throw new NoSuchFileException(folder.toString());
            }
            data.tryOut(model);
            if (against != null) {
                data.tryOut(against);
            }
            Comparison comparison =
                    against == null ? Comparison.of(model, data.file()) : Comparison.of(against, model, data.file());
            ComparisonReport report = data.of(comparison, spec).run();
            ModelCard card = ModelCard.of(ModelReport.of(model), report, data.file(), prefix());
            write(folder, card);
            return ExitCode.OK;
        });
    }

    /// The card's name without its end.
    private String prefix() {
        String name = out.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    /// The card comes last: whoever sees it finds the plots.
    private void write(Path folder, ModelCard card) throws IOException {
        for (Map.Entry<String, String> plot : new TreeMap<>(card.plots()).entrySet()) {
            replace(folder.resolve(plot.getKey()), plot.getValue());
        }
        replace(folder.resolve(out.getFileName()), card.text());
    }

    private static void replace(Path file, String text) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            Files.writeString(part, text);
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }
}
