// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OperatorName;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Has models work in half precision (FLOAT16) inside: their constants take half the memory, and GPUs are faster at it.
/// Inputs and outputs stay as they are.
///
/// What does not work in half precision stays float, with casts around it: operators that ONNX or ONNX Runtime do not
/// have for it, those of other domains, what branches and loops take and give, and nodes with numbers beyond its range:
/// constants and, in branches and loops, all that is made of such; outside of those what random inputs lead to. And
/// what becomes whole numbers in the end, or is looked for: ids beyond 2048 would be others'.
///
/// Threads: any.
public final class HalfPrecision {
    /// How far answers may be from those of the model, as a part of an output's largest value, unless said otherwise.
    public static final double TOLERANCE = 0.02;

    /// ONNX Runtime names operators that do not take halves.
    private static final Pattern REFUSED =
            Pattern.compile("of operator \\((\\w+)\\)|Could not find an implementation for (\\w+)\\(");

    private HalfPrecision() {}

    /// What was made.
    ///
    /// @param nodes how many nodes work on halves
    /// @param kept operators that work on floats still, and how many nodes of each
    /// @param outOfRange how many of those because of numbers beyond the range of halves
    /// @param exact how many of those because of whole numbers, as ids, that halves would round
    /// @param constants how many constants are halves
    /// @param defaults how many others stay float, and are cast in every run, since they are inputs, too, which a
    ///     request may replace
    /// @param raised how many of their values were so small that they are the smallest half now
    /// @param casts how many casts there are now for it
    /// @param agreement how its answers are beside those of the model
    public record Result(
            int nodes,
            Map<OperatorName, Integer> kept,
            int outOfRange,
            int exact,
            int constants,
            int defaults,
            long raised,
            int casts,
            Agreement agreement) {}

    /// Converts a model.
    ///
    /// @param out where to; its folder has to be there
    /// @param tolerance how far answers may be from those of the model, as a part of an output's largest value
    /// @throws IOException if a file cannot be read or written
    /// @throws dev.millrace.onnx.InvalidModelException if `in` is no model
    /// @throws OrtFailure if `in` cannot be loaded
    /// @throws ConversionFailed if nothing in it can be converted, or it gives other answers then
    public static Result convert(Path in, Path out, double tolerance) throws IOException {
        try (Scratch scratch = Scratch.open()) {
            HalfTypes types = new HalfTypes(in, scratch);
            Set<String> floatOnly = new HashSet<>();
            boolean inBodies = true;
            while (true) {
                try (OnnxFile model = OnnxFile.open(in)) {
                    HalfGraph graph = new HalfGraph(model, types, new HalfOperators(floatOnly), inBodies);
                    graph.convert();
                    model.setMetadata(OnnxSession.PRECISION, OnnxSession.HALVES);
                    Path made = scratch.file();
                    model.write(made);
                    Optional<OrtFailure> refusal = refusal(made);
                    String refused = refusal.map(HalfPrecision::refused).orElse("");
                    if (!refused.isEmpty() && floatOnly.add(refused)) {
                        continue;
                    }
                    if (refusal.isPresent() && inBodies) {
                        inBodies = false; // what is in them was not followed rightly
                        continue;
                    }
                    if (graph.nodes() == 0) {
                        throw new ConversionFailed("no node of it works in half precision");
                    }
                    Agreement agreement = Agreement.of(in, made, tolerance);
                    model.write(out);
                    return graph.result(agreement);
                }
            }
        }
    }

    private static Optional<OrtFailure> refusal(Path model) {
        try {
            OnnxSession.open(model, SessionSettings.DEFAULT).close();
            return Optional.empty();
        } catch (OrtFailure e) {
            return Optional.of(e);
        }
    }

    /// The operator because of which ONNX Runtime does not load a model; empty if it is another reason.
    private static String refused(OrtFailure failure) {
        Matcher matcher = REFUSED.matcher(failure.getMessage());
        return !matcher.find() ? "" : matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
    }
}
