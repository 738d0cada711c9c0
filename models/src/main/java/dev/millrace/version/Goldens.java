// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The requests that a version brings along in its folder, with the answers that it is to give:
/// `goldens/NAME.request.json` and `goldens/NAME.expected.json` in the Open Inference Protocol's words, and ONNX's
/// `test_data_set_N/input_I.pb` and `output_I.pb`.
///
/// Threads: immutable, any. It holds names of files; they are read one after another while they are checked.
public final class Goldens {
    /// How far a number may be off where the answer does not say, as ONNX's own tests have it.
    static final double ATOL = 1e-7;

    static final double RTOL = 1e-3;

    private static final String FOLDER = "goldens";
    private static final String DATA_SET = "test_data_set_";
    private static final int MAX_PAIRS = 1000;

    private final List<Golden> goldens;

    private Goldens(List<Golden> goldens) {
        this.goldens = List.copyOf(goldens);
    }

    /// Finds the goldens of a version's folder, of which there may be none.
    ///
    /// @throws IOException if the folder cannot be read
    /// @throws IllegalArgumentException if a request has no answer or an answer no request
    public static Goldens of(Path versionFolder) throws IOException {
        List<Golden> found = new ArrayList<>();
        Path folder = versionFolder.resolve(FOLDER);
        if (Files.isDirectory(folder)) {
            for (String name : names(folder)) {
                found.add(pair(folder, name));
            }
        }
        for (Path set : dataSets(versionFolder)) {
            found.add(new GoldenTensors(set, set.getFileName().toString()));
        }
        if (found.size() > MAX_PAIRS) {
            throw new IllegalArgumentException(
                    versionFolder + " has " + found.size() + " goldens, expected " + MAX_PAIRS + " at most");
        }
        return new Goldens(found);
    }

    /// The SHA-256 of all files that the goldens of a version's folder are in, by name; empty if there are none.
    static String sha256(Path versionFolder) throws IOException {
        List<Path> folders = new ArrayList<>(dataSets(versionFolder));
        folders.add(versionFolder.resolve(FOLDER));
        StringBuilder all = new StringBuilder();
        for (Path folder : folders) {
            if (Files.isDirectory(folder)) {
                try (Stream<Path> files = Files.list(folder)) {
                    for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                        all.append(ModelDigest.sha256(file)).append("  ").append(versionFolder.relativize(file));
                        all.append('\n');
                    }
                }
            }
        }
        return all.isEmpty() ? "" : ModelDigest.sha256(all.toString());
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString())
                    .filter(name -> name.endsWith(GoldenJson.REQUEST) || name.endsWith(GoldenJson.ANSWER))
                    .map(name -> name.substring(0, name.lastIndexOf('.', name.length() - ".json".length() - 1)))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private static Golden pair(Path folder, String name) {
        Path request = folder.resolve(name + GoldenJson.REQUEST);
        Path answer = folder.resolve(name + GoldenJson.ANSWER);
        for (Path file : List.of(request, answer)) {
            if (!Files.isRegularFile(file)) {
                throw new IllegalArgumentException(
                        FOLDER + "/" + file.getFileName() + " is missing, expected it beside the other of the pair");
            }
        }
        return new GoldenJson(request, answer, FOLDER + "/" + name);
    }

    private static List<Path> dataSets(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(folder)) {
            return children.filter(Files::isDirectory)
                    .filter(path -> path.getFileName().toString().matches(DATA_SET + "[0-9]{1,9}"))
                    .sorted(Comparator.comparingInt(path ->
                            Integer.parseInt(path.getFileName().toString().substring(DATA_SET.length()))))
                    .toList();
        }
    }

    /// How many there are.
    public int count() {
        return goldens.size();
    }

    /// Raw values that a model's inputs are made of: then goldens are requests of those.
    public interface RawForm {
        /// What requests may bring.
        List<TensorSpec> inputs();

        /// Makes the model's inputs.
        ///
        /// @param raw in the order of the inputs; null for what was left out
        /// @return the caller's
        /// @throws IllegalArgumentException if it is no request that is answered
        Tensor[] prepare(Tensor[] raw, MemoryBudget budget);
    }

    /// Has a session answer all of them.
    ///
    /// @param budget what the tensors are booked in
    /// @throws GoldenMismatch if it answers one otherwise
    /// @throws IllegalArgumentException naming file and field, if one cannot be read as what it should be
    /// @throws UncheckedIOException if one cannot be read at all
    public void check(OnnxSession session, MemoryBudget budget) {
        check(session, null, budget);
    }

    /// As [#check(OnnxSession, MemoryBudget)], where requests bring raw values.
    ///
    /// @param form null if they do not
    public void check(OnnxSession session, RawForm form, MemoryBudget budget) {
        if (goldens.isEmpty()) {
            return;
        }
        try (TensorRunner runner = session.tensorRunner()) {
            for (Golden golden : goldens) {
                check(golden, session, form, runner, budget);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a golden cannot be read: " + e, e);
        }
    }

    private static void check(
            Golden golden, OnnxSession session, RawForm form, TensorRunner runner, MemoryBudget budget)
            throws IOException {
        List<ValueInfo> values = session.outputs();
        Tensor[] request =
                form == null ? golden.request(session.inputs(), false, budget) : prepared(golden, form, budget);
        Tensor[] answer = values.stream()
                .map(value -> new Tensor(budget, MemoryTag.CALL, value.datatype()))
                .toArray(Tensor[]::new);
        try (Golden.Expected expected = golden.expected(values, budget)) {
            run(golden, runner, request, answer);
            for (int i = 0; i < answer.length; i++) {
                if (expected.tensors()[i] != null) {
                    compare(expected, i, values.get(i).name(), answer[i]);
                }
            }
        } finally {
            Arrays.stream(request).forEach(Tensor::close);
            Arrays.stream(answer).forEach(Tensor::close);
        }
    }

    private static Tensor[] prepared(Golden golden, RawForm form, MemoryBudget budget) throws IOException {
        List<ValueInfo> values = form.inputs().stream()
                .map(spec ->
                        new ValueInfo(spec.name(), ValueInfo.Kind.TENSOR, spec.datatype(), spec.shape(), List.of("")))
                .toList();
        Tensor[] raw = golden.request(values, true, budget);
        try {
            return form.prepare(raw, budget);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(golden.name() + ": " + e.getMessage(), e);
        } finally {
            Arrays.stream(raw).filter(Objects::nonNull).forEach(Tensor::close);
        }
    }

    private static void run(Golden golden, TensorRunner runner, Tensor[] request, Tensor[] answer) {
        try {
            runner.run(request, answer);
        } catch (OrtFailure e) {
            throw new GoldenMismatch(golden.name() + ": the model failed, expected an answer: " + e.getMessage());
        }
    }

    private static void compare(Golden.Expected expected, int output, String name, Tensor came) {
        Tensor want = expected.tensors()[output];
        String at = expected.files()[output] + ": output '" + name + "'";
        if (!Arrays.equals(came.shape(), want.shape())) {
            throw new GoldenMismatch(at + " has the shape " + Arrays.toString(came.shape()) + ", expected "
                    + Arrays.toString(want.shape()));
        }
        for (long i = 0; i < want.elementCount(); i++) {
            if (!same(came, want, i, expected.atol(), expected.rtol())) {
                String tolerance = want.datatype().isFloating()
                        ? " within " + expected.atol() + " + " + expected.rtol() + " of it"
                        : "";
                throw new GoldenMismatch(at + " element " + Arrays.toString(place(i, want.shape())) + " is "
                        + text(came, i) + ", expected " + text(want, i) + tolerance);
            }
        }
    }

    private static boolean same(Tensor came, Tensor want, long i, double atol, double rtol) {
        if (want.datatype().isFloating()) {
            double a = came.getReal(i);
            double b = want.getReal(i);
            return a == b || (Double.isNaN(a) && Double.isNaN(b)) || Math.abs(a - b) <= bound(atol, rtol, b);
        }
        return want.datatype().isNumeric()
                ? came.getLong(i) == want.getLong(i)
                : Arrays.equals(came.getBytes((int) i), want.getBytes((int) i));
    }

    /// Infinite numbers are met by themselves alone.
    private static double bound(double atol, double rtol, double value) {
        return Double.isInfinite(value) ? -1 : atol + rtol * Math.abs(value);
    }

    private static String text(Tensor tensor, long i) {
        return switch (tensor.datatype()) {
            case FP32 -> Float.toString(tensor.getFloat(i));
            case FP64, FP16, BF16 -> Double.toString(tensor.getReal(i));
            case UINT64 -> Long.toUnsignedString(tensor.getLong(i));
            case BOOL -> Boolean.toString(tensor.getLong(i) != 0);
            case BYTES -> "'" + tensor.getString((int) i) + "'";
            default -> Long.toString(tensor.getLong(i));
        };
    }

    private static long[] place(long index, long[] shape) {
        long[] place = new long[shape.length];
        long rest = index;
        for (int axis = shape.length - 1; axis >= 0; axis--) {
            place[axis] = rest % shape[axis];
            rest /= shape[axis];
        }
        return place;
    }
}
