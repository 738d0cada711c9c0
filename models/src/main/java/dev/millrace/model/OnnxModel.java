// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.ProcessMemory;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A model that is loaded and understood: its session, the signature to serve it by, and what a probe found about
/// batching.
///
/// Threads: immutable, any. Ownership: whoever loaded it closes it, when nothing made from its session is open any
/// more.
public final class OnnxModel implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OnnxModel.class);

    private final OnnxSession session;
    private final Signature signature;
    private final Batching batching;
    private final MemoryBudget budget;
    private long booked;

    private OnnxModel(OnnxSession session, MemoryBudget budget) {
        this.session = session;
        this.budget = budget;
        Signature declared = new Signature(specs(session.inputs()), specs(session.outputs()));
        BatchProbe.Finding finding = new BatchProbe(session, declared).examine();
        this.signature = finding.signature();
        this.batching = finding.batching();
    }

    /// Loads the file and runs the batching probe, without a limit for its memory.
    ///
    /// @throws OrtFailure if the file is no model that can be served
    public static OnnxModel load(Path file, SessionSettings settings) {
        return load(file, settings, MemoryBudget.UNLIMITED);
    }

    /// Loads the file and runs the batching probe. What loading takes at its peak is booked before; afterwards that by
    /// which the process has grown, but not more, until the model is closed.
    ///
    /// @param file the model file, or MLflow's `MLmodel`, which names it
    /// @throws OrtFailure if the file is no model that can be served
    /// @throws ConfigFile.Invalid if `MLmodel` names none
    /// @throws MemoryExceededException if there is not enough memory for it
    public static OnnxModel load(Path file, SessionSettings settings, MemoryBudget budget) {
        return load(file, settings, budget, OnnxSession::open);
    }

    /// As [#load(Path, SessionSettings, MemoryBudget)].
    ///
    /// @param open opens the session of the file
    public static OnnxModel load(
            Path file,
            SessionSettings settings,
            MemoryBudget budget,
            BiFunction<Path, SessionSettings, OnnxSession> open) {
        return file.endsWith(MlflowModel.NAME)
                ? loadFile(MlflowModel.file(file.getParent()), settings, budget, open)
                : loadFile(file, settings, budget, open);
    }

    private static OnnxModel loadFile(
            Path file,
            SessionSettings settings,
            MemoryBudget budget,
            BiFunction<Path, SessionSettings, OnnxSession> open) {
        ModelSize size = size(file);
        long peak = size.peakBytes();
        LOG.debug("{} needs {} bytes to be loaded: {}", file, peak, size.describe());
        try {
            budget.reserve(MemoryTag.MODEL, peak);
        } catch (MemoryExceededException e) {
            throw e.with(size.describe());
        }
        long before = ProcessMemory.anonymous();
        try {
            OnnxModel model = load(open.apply(file, settings), budget);
            model.booked = peak;
            long grown = ProcessMemory.anonymous() - before;
            LOG.debug("{} took {} bytes", file, grown);
            model.keep(size.weightBytes(), grown);
            return model;
        } catch (RuntimeException | Error e) {
            budget.release(MemoryTag.MODEL, peak);
            throw e;
        }
    }

    private static OnnxModel load(OnnxSession session, MemoryBudget budget) {
        try {
            return new OnnxModel(session, budget);
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    private static ModelSize size(Path file) {
        try {
            return ModelSize.of(file);
        } catch (NoSuchFileException e) {
            throw new UncheckedIOException("there is no file " + file, e);
        } catch (IOException e) {
            String problem = Files.isDirectory(file)
                    ? file + " is a folder, expected a model file"
                    : file + " cannot be read: " + e;
            throw new UncheckedIOException(problem, e);
        }
    }

    /// Releases what was booked for loading and is not needed any more. What else the process did meanwhile shows in
    /// its growth, too: it counts as far as it is plausible, from the weights to what was expected.
    private void keep(long weights, long grown) {
        long kept = Math.max(Math.min(weights, booked), Math.min(grown, booked));
        budget.release(MemoryTag.MODEL, booked - kept);
        booked = kept;
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
        budget.release(MemoryTag.MODEL, booked);
        booked = 0;
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
