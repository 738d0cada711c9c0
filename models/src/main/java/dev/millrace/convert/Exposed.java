// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.ProtoMessage;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Copies of models that give all that their nodes make, to be looked at. Stateless.
final class Exposed {
    private static final int NAME = 1;
    private static final int NODE_NAME = 3;
    private static final SessionSettings PLAIN =
            SessionSettings.DEFAULT.withOptimization(SessionSettings.Optimization.NONE);

    private Exposed() {}

    /// Writes a copy whose outputs are all tensors that the nodes of the graph make, those of branches and loops not.
    ///
    /// @return it, opened; to be closed
    static Probe open(Path model, Scratch scratch) throws IOException {
        return Probe.open(write(model, tensors(model, scratch), scratch), PLAIN);
    }

    /// The types of all values that the nodes of the graph make, and its inputs', as ONNX Runtime has them.
    static List<ValueInfo> values(Path model, Scratch scratch) throws IOException {
        try (OnnxSession session = OnnxSession.open(write(model, made(model), scratch), PLAIN)) {
            List<ValueInfo> all = new ArrayList<>(session.inputs());
            all.addAll(session.outputs());
            return all;
        }
    }

    private static Set<String> tensors(Path model, Scratch scratch) throws IOException {
        Set<String> tensors = new HashSet<>();
        for (ValueInfo value : values(model, scratch)) {
            if (value.kind() == ValueInfo.Kind.TENSOR) {
                tensors.add(value.name());
            }
        }
        return tensors;
    }

    private static Set<String> made(Path model) throws IOException {
        Set<String> names = new HashSet<>();
        try (OnnxFile file = OnnxFile.open(model)) {
            for (OnnxNode node : file.graph().nodes()) {
                names.addAll(node.outputs());
            }
        }
        return names;
    }

    private static Path write(Path model, Set<String> names, Scratch scratch) throws IOException {
        Path copy = scratch.file();
        try (OnnxFile file = OnnxFile.open(model)) {
            List<OnnxValue> outputs = new ArrayList<>(file.graph().outputs());
            Set<String> there = new HashSet<>();
            outputs.forEach(output -> there.add(output.name()));
            for (OnnxNode node : file.graph().nodes()) {
                if (node.name().isEmpty()) {
                    node.message().setText(NODE_NAME, "that makes " + node.outputs()); // for messages
                }
                for (String name : node.outputs()) {
                    if (!name.isEmpty() && names.contains(name) && there.add(name)) {
                        // Without a type: ONNX Runtime works it out.
                        outputs.add(new OnnxValue(new ProtoMessage().setText(NAME, name)));
                    }
                }
            }
            file.graph().setOutputs(outputs);
            file.write(copy);
        }
        return copy;
    }
}
