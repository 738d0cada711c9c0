// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.compare.ComparisonReport.Side;
import dev.millrace.inspect.ModelReport;
import dev.millrace.inspect.ModelReport.Value;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/// What is to be known of a model before it is used, as Markdown with plots: what it is, how good it is, how far it is
/// from another, and how fast. Immutable.
///
/// @param text Markdown, which names the plots as files beside it
/// @param plots SVG documents by the names of these files
public record ModelCard(String text, Map<String, String> plots) {
    /// Longer texts of a model are cut.
    private static final int MAX_CHARACTERS = 2_000;

    /// Makes the map immutable.
    public ModelCard {
        plots = Map.copyOf(plots);
    }

    /// Writes a card.
    ///
    /// @param model what the model is
    /// @param comparison how it did, alone or beside another
    /// @param data the file that it was run on
    /// @param prefix what the names of the plots' files begin with
    public static ModelCard of(ModelReport model, ComparisonReport comparison, Path data, String prefix) {
        Map<String, String> plots = Plots.of(comparison).entrySet().stream()
                .collect(Collectors.toMap(plot -> prefix + "-" + plot.getKey() + ".svg", Map.Entry::getValue));
        return new ModelCard(new Writer(model, comparison, data, prefix, plots).write(), plots);
    }

    /// One card that is being written.
    private static final class Writer {
        private final ModelReport model;
        private final ComparisonReport comparison;
        private final Path data;
        private final String prefix;
        private final Map<String, String> plots;
        private final StringBuilder text = new StringBuilder();

        Writer(ModelReport model, ComparisonReport comparison, Path data, String prefix, Map<String, String> plots) {
            this.model = model;
            this.comparison = comparison;
            this.data = data;
            this.prefix = prefix;
            this.plots = plots;
        }

        String write() {
            String graph = model.origin().graph();
            text.append("# Model card: ")
                    .append(plain(graph.isEmpty() ? name(comparison.after().file()) : graph))
                    .append("\n\n");
            if (!model.origin().doc().isEmpty()) {
                text.append(plain(model.origin().doc())).append("\n\n");
            }
            about();
            values();
            quality();
            differences();
            speed();
            return text.toString().stripTrailing() + "\n";
        }

        private static String name(Path file) {
            return file.getFileName().toString();
        }

        private void about() {
            text.append("| | |\n|---|---|\n");
            Side after = comparison.after();
            row("file", name(after.file()) + ", " + Figures.grouped(after.bytes()) + " bytes");
            comparison
                    .before()
                    .ifPresent(before -> row(
                            "compared with",
                            name(before.file()) + ", " + Figures.grouped(before.bytes()) + " bytes: "
                                    + Figures.percent((double) after.bytes() / before.bytes()) + " of its size"));
            row("made by", (model.origin().producer() + " " + model.origin().producerVersion()).strip());
            row(
                    "version",
                    model.origin().version() == 0
                            ? ""
                            : Long.toString(model.origin().version()));
            row("operators", join(model.operators()));
            row(
                    "parameters",
                    model.parameters().stream()
                            .map(part -> Figures.grouped(part.elements()) + " " + part.type())
                            .collect(Collectors.joining(", ")));
            row("operations", Figures.grouped(model.operations().count()) + " for a row");
            row("batching", after.batching().kind() + ": " + after.batching().reason());
            model.origin().metadata().forEach(this::row);
            text.append('\n');
        }

        private void row(String name, String said) {
            if (!said.isEmpty()) {
                text.append("| ")
                        .append(plain(name))
                        .append(" | ")
                        .append(plain(said))
                        .append(" |\n");
            }
        }

        private static String join(Map<?, Integer> counts) {
            return counts.entrySet().stream()
                    .map(entry -> entry.getKey() + " " + entry.getValue())
                    .collect(Collectors.joining(", "));
        }

        private void values() {
            text.append("## Inputs and outputs\n\n| | name | type | shape |\n|---|---|---|---|\n");
            model.inputs().forEach(value -> value("input", value));
            model.outputs().forEach(value -> value("output", value));
            text.append('\n');
        }

        private void value(String kind, Value value) {
            text.append(String.format(
                    "| %s | %s | %s | %s |%n",
                    kind, plain(value.name()), plain(value.type()), plain(value.describeShape())));
        }

        private void quality() {
            text.append("## Quality\n\nOn ")
                    .append(Figures.grouped(comparison.rows()))
                    .append(comparison.rows() == 1 ? " row of " : " rows of ")
                    .append(plain(name(data)))
                    .append(".\n\n");
            Optional<Quality> after = comparison.after().quality();
            if (after.isEmpty()) {
                text.append("Nothing is known of what is right: there are no labels.\n\n");
                return;
            }
            Optional<Quality> before = comparison.before().flatMap(Side::quality);
            text.append(
                    before.isPresent()
                            ? "| | before | after | change |\n|---|---:|---:|---:|\n"
                            : "| | |\n|---|---:|\n");
            figure("accuracy", before.map(Quality::accuracy), after.get().accuracy());
            figure(
                    "area under the ROC curve",
                    before.map(Quality::auc),
                    after.get().auc());
            text.append('\n');
            after.get()
                    .noAuc()
                    .ifPresent(why -> text.append("There is no area under the ROC curve of the model: ")
                            .append(why)
                            .append(".\n\n"));
            plot("roc", "ROC curve");
            plot("reliability", "reliability");
        }

        private void figure(String name, Optional<OptionalDouble> before, OptionalDouble after) {
            if (after.isEmpty() && before.orElse(OptionalDouble.empty()).isEmpty()) {
                return;
            }
            text.append("| ").append(name);
            before.ifPresent(then -> text.append(" | ").append(Figures.share(then)));
            text.append(" | ").append(Figures.share(after));
            before.ifPresent(then -> text.append(" | ")
                    .append(
                            then.isEmpty() || after.isEmpty()
                                    ? "-"
                                    : String.format(Locale.ROOT, "%+.4f", after.getAsDouble() - then.getAsDouble())));
            text.append(" |\n");
        }

        private void differences() {
            if (comparison.differences().isEmpty()) {
                return;
            }
            text.append("## Differences\n\n");
            comparison
                    .decisions()
                    .ifPresent(decisions -> text.append(Figures.grouped(decisions.flips()))
                            .append(" of ")
                            .append(Figures.grouped(decisions.rows()))
                            .append(" decisions are others, ")
                            .append(Figures.percent(decisions.share()))
                            .append(" (")
                            .append(plain("'" + decisions.output() + "', "
                                    + decisions.rule().description()))
                            .append(").\n\n"));
            text.append("| output | values | unequal | max | mean | 50 % | 90 % | 99 % | 99.9 % |\n");
            text.append("|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
            for (OutputDifference output : comparison.differences()) {
                text.append("| ").append(plain(output.name())).append(" | ");
                text.append(List.of(
                                        Figures.grouped(output.elements()),
                                        Figures.grouped(output.unequal()),
                                        Figures.digits(output.max()),
                                        Figures.digits(output.mean()),
                                        Figures.digits(output.p50()),
                                        Figures.digits(output.p90()),
                                        Figures.digits(output.p99()),
                                        Figures.digits(output.p999()))
                                .stream()
                                .collect(Collectors.joining(" | ")))
                        .append(" |\n");
            }
            text.append('\n');
            plot("differences", "histogram of differences");
        }

        private void speed() {
            if (comparison.speeds().isEmpty()) {
                return;
            }
            text.append("## Speed\n\nOne thread of ")
                    .append(plain(comparison.cpu().name()))
                    .append(", which ")
                    .append(plain(comparison.cpu().describe()))
                    .append(". Medians, and the middle half of samples")
                    .append(comparison.before().isPresent() ? "; both models by turns" : "")
                    .append(".\n\n");
            boolean both = comparison.before().isPresent();
            text.append(
                    both
                            ? "| rows of a run | before | middle half | after | middle half | speedup |\n"
                                    + "|---:|---:|---:|---:|---:|---:|\n"
                            : "| rows of a run | time | middle half |\n|---:|---:|---:|\n");
            for (Speed speed : comparison.speeds()) {
                text.append("| ").append(Figures.grouped(speed.rows()));
                speed.before().ifPresent(this::timing);
                timing(speed.after());
                speed.speedup()
                        .ifPresent(times -> text.append(" | ").append(String.format(Locale.ROOT, "%.2f", times)));
                text.append(" |\n");
            }
            text.append('\n');
            plot("latency", "time of a run");
        }

        private void timing(Timing timing) {
            text.append(" | ")
                    .append(Figures.time(timing.median()))
                    .append(" | ")
                    .append(Figures.time(timing.low()))
                    .append(" to ")
                    .append(Figures.time(timing.high()));
        }

        private void plot(String name, String description) {
            String file = prefix + "-" + name + ".svg";
            if (plots.containsKey(file)) {
                text.append("![")
                        .append(description)
                        .append("](")
                        .append(address(file))
                        .append(")\n\n");
            }
        }

        /// A file's name as it is in a link: a blank or a parenthesis would end that.
        private static String address(String file) {
            return URLEncoder.encode(file, StandardCharsets.UTF_8)
                    .replace("+", "%20")
                    .replace("*", "%2A");
        }

        /// One line without what Markdown or HTML would take for more than text.
        private static String plain(String said) {
            String line = said.replaceAll("[\\p{Cc}\\p{Cf}\\s]+", " ").strip();
            if (line.length() > MAX_CHARACTERS) {
                int end = Character.isHighSurrogate(line.charAt(MAX_CHARACTERS - 1))
                        ? MAX_CHARACTERS - 1
                        : MAX_CHARACTERS;
                line = line.substring(0, end) + " ...";
            }
            return Svg.escape(line).replaceAll("[\\\\`*_\\[\\]|#!~]", "\\\\$0");
        }
    }
}
