// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.ProtoMessage;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.SessionSettings.Optimization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// Has ONNX Runtime optimise a graph once and for all, so that it need not be at every load.
///
/// Threads: any.
public final class GraphOptimizer {
    /// What optimisation may do to the numbers: sums are made in another order.
    private static final double TOLERANCE = 1e-3;

    private static final int PRODUCER = 2;
    private static final int PRODUCER_VERSION = 3;
    private static final int DOMAIN = 4;
    private static final int MODEL_VERSION = 5;
    private static final int DOC = 6;
    private static final List<Integer> TEXTS = List.of(PRODUCER, PRODUCER_VERSION, DOMAIN, DOC);

    private GraphOptimizer() {}

    /// How far a graph is optimised.
    public enum Level {
        /// What holds for any engine and hardware: constants are folded, what does nothing goes.
        BASIC(Optimization.BASIC),
        /// Operators are fused, too, into those that ONNX Runtime alone has.
        EXTENDED(Optimization.EXTENDED),
        /// Tensors are laid out for this very kind of processor, too: on another one the model may be slow, or wrong.
        ALL(Optimization.ALL);

        private final Optimization optimization;

        Level(Optimization optimization) {
            this.optimization = optimization;
        }
    }

    /// What was made.
    ///
    /// @param nodesBefore how many nodes the model's graph had
    /// @param nodes how many it has
    /// @param agreement how its answers are beside those of the model
    public record Result(int nodesBefore, int nodes, Agreement agreement) {}

    /// Optimises a model.
    ///
    /// @param out where to; its folder has to be there
    /// @throws IOException if a file cannot be read or written
    /// @throws dev.millrace.onnx.InvalidModelException if `in` is no model
    /// @throws dev.millrace.ort.OrtFailure if `in` cannot be loaded
    /// @throws ConversionFailed if the optimised model gives other answers
    public static Result optimize(Path in, Path out, Level level) throws IOException {
        try (Scratch scratch = Scratch.open();
                OnnxFile original = OnnxFile.open(in)) {
            Path saved = scratch.file();
            copyExternal(original, saved.getParent());
            SessionSettings settings = SessionSettings.DEFAULT.withOptimization(level.optimization);
            OnnxSession.openAndSave(in, settings, saved).close();
            try (OnnxFile made = OnnxFile.open(saved)) {
                keepOrigin(original, made);
                made.setMetadata(
                        "millrace.optimized",
                        level.name().toLowerCase(Locale.ROOT) + " by ONNX Runtime " + OrtRuntime.version());
                Agreement agreement = Agreement.of(in, saved, TOLERANCE);
                made.write(out);
                return new Result(
                        original.graph().nodes().size(), made.graph().nodes().size(), agreement);
            }
        }
    }

    /// What is not optimised stays in the files where it was; the saved graph looks for them beside it.
    private static void copyExternal(OnnxFile original, Path folder) throws IOException {
        for (String location : original.externalFiles()) {
            Path target = folder.resolve(location);
            Files.createDirectories(target.getParent());
            Files.copy(original.path().toAbsolutePath().resolveSibling(location), target);
        }
    }

    private static void keepOrigin(OnnxFile original, OnnxFile made) {
        ProtoMessage from = original.message();
        for (int field : TEXTS) {
            if (from.has(field)) {
                made.message().setText(field, from.text(field));
            }
        }
        if (from.has(MODEL_VERSION)) {
            made.message().setNumber(MODEL_VERSION, from.number(MODEL_VERSION, 0));
        }
        original.metadata().forEach(made::setMetadata);
    }
}
