// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.ValueInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// A model that is loaded and understood: its session, the signature to serve it by, and what a probe found about
/// batching.
///
/// Threads: immutable, any. Ownership: whoever loaded it closes it, when nothing made from its session is open any
/// more.
public final class OnnxModel implements AutoCloseable {
    private final OnnxSession session;
    private final Signature signature;
    private final Batching batching;

    private OnnxModel(OnnxSession session) {
        this.session = session;
        Signature declared = new Signature(specs(session.inputs()), specs(session.outputs()));
        BatchProbe.Finding finding = new BatchProbe(session, declared).examine();
        this.signature = finding.signature();
        this.batching = finding.batching();
    }

    /// Loads the file and runs the batching probe.
    ///
    /// @throws dev.millrace.ort.OrtFailure if the file is no model that can be served
    public static OnnxModel load(Path file, SessionSettings settings) {
        OnnxSession session = OnnxSession.open(file, settings);
        try {
            return new OnnxModel(session);
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /// The session; it belongs to this model.
    public OnnxSession session() {
        return session;
    }

    /// What the model takes and gives; dimensions of outputs that the file leaves open are as the probe saw them.
    public Signature signature() {
        return signature;
    }

    /// How its requests may share runs.
    public Batching batching() {
        return batching;
    }

    @Override
    public void close() {
        session.close();
    }

    private static List<TensorSpec> specs(List<ValueInfo> values) {
        List<TensorSpec> specs = new ArrayList<>();
        for (ValueInfo value : values) {
            List<Long> shape = switch (value.kind()) {
                case TENSOR -> value.shape();
                case MAP, SEQUENCE_OF_TENSORS -> List.of(-1L);
                case SEQUENCE_OF_MAPS -> Collections.nCopies(2, -1L);
            };
            specs.add(new TensorSpec(value.name(), value.datatype(), shape));
        }
        return specs;
    }
}
