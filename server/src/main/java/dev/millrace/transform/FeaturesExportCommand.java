// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.preprocess.PreprocessingGraph;
import dev.millrace.spec.FeatureSpec;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace features export`: a specification as an ONNX graph.
@Command(
        name = "export",
        description = "Writes a specification as an ONNX graph that any runtime computes: an input for each raw value"
                + " and one that says where there is one, the specification's tensor, and which rows are rejected.",
        footer = "%nExit status: 0 when the graph was written; 1 when the specification is not what is expected, or has"
                + " operators that ONNX cannot express, all of which are named; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class FeaturesExportCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SPEC", description = "The specification's file, or the folder with features.yaml.")
    private Path path;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE.onnx",
            description = "Where the graph goes, whole or not at all.")
    private Path out;

    @Spec
    private CommandSpec spec;

    FeaturesExportCommand() {}

    @Override
    public Integer call() {
        return Complaints.run(spec, this::export);
    }

    private int export() throws IOException {
        FeatureSpec features = SpecFile.read(path);
        try (OnnxFile graph = PreprocessingGraph.of(features)) {
            graph.write(out);
            print(features, graph);
        }
        return ExitCode.OK;
    }

    private void print(FeatureSpec features, OnnxFile graph) {
        PrintWriter to = spec.commandLine().getOut();
        line(to, "written   ", out.toString());
        line(to, "features  ", features.toString());
        line(to, "inputs    ", names(graph.graph().inputs()));
        line(to, "outputs   ", names(graph.graph().outputs()));
        line(to, "columns   ", Integer.toString(features.columns().size()));
        to.flush();
    }

    private static String names(List<OnnxValue> values) {
        return values.stream().map(OnnxValue::name).collect(Collectors.joining(", "));
    }

    private static void line(PrintWriter to, String label, String said) {
        to.println(label + Complaints.plain(said));
    }
}
