// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import dev.millrace.memory.DataType;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// What every contestant is asked, the same in every run: rows from a fixed seed, put together to batches. A row is the
/// same in a batch of any size.
///
/// A leading dimension that the model leaves open is the batch. All else is fixed, by the model or by the settings.
///
/// Threads: any. Ownership: the arrays are made anew for each batch size and belong to whoever asked.
public final class Examples {
    /// How many rows there are of a model whose rows are small: more than one so that no answer can be a leftover, few
    /// enough to stay in the caches.
    public static final int COUNT = 256;

    private static final long SEED = 20_261_122L;
    private static final long MOST_BYTES = 32 << 20;
    private static final List<String> WORDS = List.of("", "a", "b", "red", "green", "blue", "millrace", "größer");

    private final List<TensorSpec> inputs;
    private final int integersBelow;
    private final int rows;

    /// @throws Unavailable if a dimension is open that only the caller can fix
    Examples(Signature signature, Settings settings) {
        refuseUnknown(signature, settings);
        this.inputs = signature.inputs().stream()
                .map(spec -> new TensorSpec(spec.name(), spec.datatype(), closed(spec, settings)))
                .toList();
        this.integersBelow = settings.integersBelow();
        long rowBytes = inputs.stream().mapToLong(Examples::rowBytes).sum();
        this.rows = Math.clamp(MOST_BYTES / Math.max(1, rowBytes), 1, COUNT);
    }

    private static void refuseUnknown(Signature signature, Settings settings) {
        for (String name : settings.shapes().keySet()) {
            if (signature.inputIndex(name) < 0) {
                throw new Unavailable("a shape is given for input '" + name + "', but the model's inputs are "
                        + signature.inputs().stream().map(TensorSpec::name).toList());
            }
        }
    }

    /// The shape with nothing open but the batch.
    private static List<Long> closed(TensorSpec spec, Settings settings) {
        List<Long> declared = spec.shape();
        List<Long> given = settings.shapes().getOrDefault(spec.name(), declared);
        if (given.size() != declared.size()) {
            throw new Unavailable(
                    "the shape given for input '" + spec.name() + "' is " + given + ", the model's is " + declared);
        }
        List<Long> shape = new ArrayList<>();
        for (int axis = 0; axis < declared.size(); axis++) {
            boolean open = declared.get(axis) < 0;
            if (axis == 0 && open) {
                shape.add(-1L);
            } else if (open && given.get(axis) < 0) {
                throw new Unavailable("input '" + spec.name() + "' has shape " + declared + ": give its dimensions with"
                        + " --shape " + spec.name() + "=" + example(declared));
            } else if (!open && !given.get(axis).equals(declared.get(axis))) {
                throw new Unavailable(
                        "the shape given for input '" + spec.name() + "' is " + given + ", the model's is " + declared);
            } else {
                shape.add(given.get(axis));
            }
        }
        return shape;
    }

    private static String example(List<Long> declared) {
        List<String> words = new ArrayList<>();
        for (long dim : declared) {
            words.add(dim >= 0 ? Long.toString(dim) : words.isEmpty() ? "1" : "16");
        }
        return String.join(",", words);
    }

    private static long rowBytes(TensorSpec spec) {
        long elements = spec.shape().stream().filter(dim -> dim >= 0).reduce(1L, Math::multiplyExact);
        return elements * Math.max(1, spec.datatype().byteSize());
    }

    /// Whether the number of rows in a run is the caller's choice.
    public boolean hasBatch() {
        return inputs.stream().anyMatch(Examples::isBatched);
    }

    private static boolean isBatched(TensorSpec spec) {
        return !spec.shape().isEmpty() && spec.shape().getFirst() < 0;
    }

    /// Refuses a batch size that the model does not take.
    ///
    /// @throws Unavailable if the model's own batch is fixed to another
    public void requireBatch(int batch) {
        if (!hasBatch() && batch != 1) {
            throw new Unavailable("the model has no variable leading dimension: it takes its "
                    + inputs.stream().map(spec -> spec.name() + spec.shape()).toList() + " as they are, batch 1 alone");
        }
    }

    /// How many batches of `batch` rows there are.
    public int count(int batch) {
        return hasBatch() ? Math.max(1, rows / batch) : Math.min(rows, 16);
    }

    /// Batch `index` of `batch` rows, by input.
    List<Value> batch(int index, int batch) {
        requireBatch(batch);
        List<Value> values = new ArrayList<>();
        for (int input = 0; input < inputs.size(); input++) {
            values.add(batch(input, index, batch));
        }
        return values;
    }

    /// All batches of `batch` rows.
    List<List<Value>> all(int batch) {
        List<List<Value>> all = new ArrayList<>();
        for (int index = 0; index < count(batch); index++) {
            all.add(batch(index, batch));
        }
        return all;
    }

    /// The rows of the only input, which is FP32, one array each.
    ///
    /// @throws IllegalStateException if the model is another
    public float[][] floats() {
        if (inputs.size() != 1 || inputs.getFirst().datatype() != DataType.FP32 || !hasBatch()) {
            throw new IllegalStateException("the model does not take rows of floats alone");
        }
        return all(1).stream().map(row -> (float[]) row.getFirst().array()).toArray(float[][]::new);
    }

    private Value batch(int input, int index, int batch) {
        TensorSpec spec = inputs.get(input);
        long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
        int parts = isBatched(spec) ? batch : 1;
        if (isBatched(spec)) {
            shape[0] = batch;
        }
        Value value = Value.empty(spec.name(), spec.datatype(), shape);
        int size = value.count() / parts;
        for (int row = 0; row < parts; row++) {
            var random = new SplittableRandom(SEED + 1_000_003L * input + 7_919L * (index * (long) parts + row));
            fill(value, row * size, size, random);
        }
        return value;
    }

    private void fill(Value value, int from, int count, SplittableRandom random) {
        for (int i = from; i < from + count; i++) {
            switch (value.array()) {
                case float[] floats -> floats[i] = (float) random.nextGaussian();
                case String[] texts -> texts[i] = WORDS.get(random.nextInt(WORDS.size()));
                default ->
                    value.set(
                            i,
                            value.datatype().isFloating()
                                    ? (Number) random.nextGaussian()
                                    : (Number) random.nextInt(highest(value.datatype())));
            }
        }
    }

    /// What integers of the type stay below.
    private int highest(DataType datatype) {
        return switch (datatype) {
            case BOOL -> 2;
            case INT8 -> Math.min(integersBelow, 1 << 7);
            case UINT8 -> Math.min(integersBelow, 1 << 8);
            case INT16 -> Math.min(integersBelow, 1 << 15);
            default -> integersBelow;
        };
    }
}
