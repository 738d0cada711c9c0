// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import dev.millrace.onnx.OperatorName;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Which operators ONNX Runtime runs on CUDA, by the table beside this class, which says where it is from. Element
/// types are not in it: a kernel may be for floats alone. Immutable.
final class CudaKernels {
    /// The version of ONNX Runtime that the table is for.
    static final String VERSION = "1.29.0";

    private static final CudaKernels TABLE = new CudaKernels();

    /// Versions of operators, in order, below 0 for those without a kernel.
    private final Map<OperatorName, long[]> versions = new HashMap<>();
    private final Set<OperatorName> composed = new HashSet<>();

    private CudaKernels() {
        for (String line : lines("cuda-kernels.txt")) {
            String[] words = line.split(" ");
            long[] numbers = new long[words.length - 2];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = Long.parseLong(words[i + 2]);
            }
            versions.put(new OperatorName(words[0], words[1]), numbers);
        }
        for (String line : lines("composed.txt")) {
            String[] words = line.split(" ");
            composed.add(new OperatorName(words[0], words[1]));
        }
    }

    private static List<String> lines(String name) {
        try (InputStream in = CudaKernels.class.getResourceAsStream(name);
                BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return reader.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Why an operator does not run on CUDA, if it does not.
    ///
    /// @param opset the version of its domain
    static Optional<String> obstacle(OperatorName operator, long opset) {
        return TABLE.find(operator, opset);
    }

    private Optional<String> find(OperatorName operator, long opset) {
        // Constants are tensors by then.
        if (composed.contains(operator) || operator.isOnnx("Constant")) {
            return Optional.empty();
        }
        long[] known = versions.get(operator);
        if (known == null) {
            return Optional.of("no kernel");
        }
        long version = 0;
        boolean has = true;
        for (long each : known) {
            if (Math.abs(each) <= opset) {
                version = Math.abs(each);
                has = each > 0;
            }
        }
        return has ? Optional.empty() : Optional.of("no kernel for version " + version);
    }
}
