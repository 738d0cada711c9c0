// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import dev.millrace.model.Batching;
import dev.millrace.model.ModelSize;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxValue;
import dev.millrace.onnx.OperatorName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a model file says about itself, read without running it. Immutable.
///
/// @param format the version of the file's format, ONNX's IR version
/// @param opsets the version of the operators of each domain
/// @param origin who made it, with what, and what they say about it
/// @param inputs what it takes
/// @param outputs what it gives
/// @param openDimensions the dimensions of any size, with where they are: `image[0]`; those without a name are called
/// `?`
/// @param operators how often each operator is there, most frequent first; in branches, loops and functions, too
/// @param functions the operators that it brings along
/// @param parameters its constants by type, most bytes first
/// @param externalFiles the files beside it that hold constants
/// @param size what loading takes
/// @param operations what a row takes
/// @param notOnCuda operators in it for which ONNX Runtime has no kernel on CUDA, with why
/// @param obstacle why rows cannot share a run, if the file tells; whether they affect each other only a run tells, as
///     [dev.millrace.model.OnnxModel#load] does
public record ModelReport(
        long format,
        Map<String, Long> opsets,
        Origin origin,
        List<Value> inputs,
        List<Value> outputs,
        Map<String, List<String>> openDimensions,
        Map<OperatorName, Integer> operators,
        List<OperatorName> functions,
        List<Parameters> parameters,
        List<String> externalFiles,
        ModelSize size,
        Operations operations,
        Map<OperatorName, String> notOnCuda,
        Optional<Obstacle> obstacle) {
    /// Makes what it holds immutable; the order of maps stays.
    public ModelReport {
        opsets = unmodifiable(opsets);
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        openDimensions = unmodifiable(openDimensions);
        operators = unmodifiable(operators);
        functions = List.copyOf(functions);
        parameters = List.copyOf(parameters);
        externalFiles = List.copyOf(externalFiles);
        notOnCuda = unmodifiable(notOnCuda);
    }

    private static <K, V> Map<K, V> unmodifiable(Map<K, V> map) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }

    /// Where a model comes from, as it says itself; what it does not say is empty.
    ///
    /// @param producer the program that made it
    /// @param producerVersion that program's version
    /// @param domain whose it is
    /// @param version the model's own
    /// @param graph the graph's name
    /// @param doc what is said about it
    /// @param metadata what else is stored with it
    public record Origin(
            String producer,
            String producerVersion,
            String domain,
            long version,
            String graph,
            String doc,
            Map<String, String> metadata) {
        /// Makes the metadata immutable, in their order.
        public Origin {
            metadata = unmodifiable(metadata);
        }
    }

    /// An input or an output.
    ///
    /// @param name its name
    /// @param type what it is: `FLOAT` for a tensor of such elements, else in words
    /// @param shape its dimensions, if it is a tensor whose rank is known
    public record Value(String name, String type, Optional<List<OnnxValue.Dimension>> shape) {
        /// The shape for people: `[batch, 3, ?]`; empty if it is not declared.
        public String describeShape() {
            return shape.map(dims -> dims.stream().map(Value::describe).toList().toString())
                    .orElse("");
        }

        private static String describe(OnnxValue.Dimension dim) {
            String name = dim.name().isEmpty() ? "?" : dim.name();
            return dim.size() >= 0 ? Long.toString(dim.size()) : name;
        }
    }

    /// Constants of one type.
    ///
    /// @param type what their elements are
    /// @param tensors how many there are
    /// @param elements how many elements they have together
    /// @param bytes what these take
    public record Parameters(ElementType type, long tensors, long elements, long bytes) {}

    /// What a row takes.
    ///
    /// @param count arithmetic operations; a multiplication and an addition are two
    /// @param isLeast whether it may be more: a loop was counted as one turn, or something not at all
    /// @param uncounted operators of which it is not known, with how often they are there
    /// @param assumed dimensions of any size, other than the batch, that were taken as 1
    public record Operations(long count, boolean isLeast, Map<OperatorName, Integer> uncounted, List<String> assumed) {}

    /// Why rows of several requests cannot share a run.
    ///
    /// @param kind what may be put together instead: one row, or nothing
    /// @param reason why, for people
    public record Obstacle(Batching.Kind kind, String reason) {}

    /// The version of ONNX Runtime whose kernels [#notOnCuda()] is about.
    public static String cudaVersion() {
        return CudaKernels.VERSION;
    }

    /// Reads the report of a model.
    ///
    /// @throws IOException if it cannot be read
    /// @throws dev.millrace.onnx.InvalidModelException if it is no model, or contradicts itself
    public static ModelReport of(Path file) throws IOException {
        try (OnnxFile model = OnnxFile.open(file)) {
            return new Inspection(model).report();
        } catch (InternalError e) {
            throw new IOException(file + " changed while it was read", e);
        }
    }
}
