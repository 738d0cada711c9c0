// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Makes requests with random inputs for a model that is known only by its metadata: floats from a normal distribution,
/// strings of a few letters, integers that are 0 or 1, because they may be indices, masks or kinds of something.
///
/// Threads: one.
final class RandomBodies {
    private static final int BODIES = 64;
    private static final long MAX_BYTES = 32 << 20;
    private static final int MIN_BODIES = 2;
    private static final long MAX_ELEMENTS = 1 << 27;
    private static final int INTEGERS = 2;
    private static final int LETTERS = 26;
    private static final int MAX_WORD = 12;
    private static final float ROUND = 1e4f;

    private final List<ModelMetadata.Input> inputs;
    private final SplittableRandom random;

    private RandomBodies(List<ModelMetadata.Input> inputs, long seed) {
        this.inputs = inputs;
        this.random = new SplittableRandom(seed);
    }

    /// Some dozens of different bodies; fewer if they are large.
    ///
    /// @param shapes whole shapes of inputs, by name; those of the others come from the metadata
    /// @param batch rows of inputs whose first dimension may vary
    /// @throws IllegalArgumentException if a shape stays open, or does not fit
    static List<byte[]> make(ModelMetadata model, Map<String, List<Long>> shapes, long batch, long seed) {
        RandomBodies maker = new RandomBodies(fixed(model, shapes, batch), seed);
        List<byte[]> bodies = new ArrayList<>();
        long bytes = 0;
        while (bodies.size() < MIN_BODIES || (bodies.size() < BODIES && bytes < MAX_BYTES)) {
            byte[] body = maker.body();
            bytes += body.length;
            bodies.add(body);
        }
        return bodies;
    }

    private static List<ModelMetadata.Input> fixed(ModelMetadata model, Map<String, List<Long>> shapes, long batch) {
        Set<String> unknown = new TreeSet<>(shapes.keySet());
        List<ModelMetadata.Input> fixed = new ArrayList<>();
        for (ModelMetadata.Input input : model.inputs()) {
            unknown.remove(input.name());
            List<Long> shape = shapes.containsKey(input.name())
                    ? fitting(input, shapes.get(input.name()))
                    : withBatch(input, batch);
            elements(shape, input.name());
            fixed.add(new ModelMetadata.Input(input.name(), input.datatype(), shape));
        }
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("--shape names " + unknown + ", the model's inputs are "
                    + model.inputs().stream().map(ModelMetadata.Input::name).toList());
        }
        return fixed;
    }

    private static List<Long> fitting(ModelMetadata.Input input, List<Long> shape) {
        boolean fits = shape.size() == input.shape().size();
        for (int i = 0; fits && i < shape.size(); i++) {
            long wanted = input.shape().get(i);
            fits = shape.get(i) >= 0 && (wanted < 0 || wanted == shape.get(i));
        }
        if (!fits) {
            throw new IllegalArgumentException(
                    "input '" + input.name() + "' has shape " + input.shape() + ", --shape gives " + shape);
        }
        return shape;
    }

    private static List<Long> withBatch(ModelMetadata.Input input, long batch) {
        List<Long> shape = new ArrayList<>(input.shape());
        boolean rows = !shape.isEmpty() && shape.getFirst() < 0;
        if (rows) {
            shape.set(0, batch);
        } else if (batch != 1) {
            throw new IllegalArgumentException("input '" + input.name() + "' has shape " + input.shape()
                    + ", without a batch dimension for --batch " + batch);
        }
        if (shape.stream().anyMatch(size -> size < 0)) {
            String example =
                    shape.stream().map(size -> size < 0 ? "8" : size.toString()).collect(Collectors.joining(","));
            throw new IllegalArgumentException("input '" + input.name() + "' has shape " + input.shape()
                    + "; say which one to send, for example --shape " + input.name() + "=" + example);
        }
        return shape;
    }

    private static long elements(List<Long> shape, String name) {
        long count = 1;
        for (long size : shape) {
            if (size != 0 && count > MAX_ELEMENTS / size) {
                throw new IllegalArgumentException("input '" + name + "' of shape " + shape + " is too large");
            }
            count *= size;
        }
        return count;
    }

    private byte[] body() {
        StringBuilder json = new StringBuilder("{\"inputs\":[");
        for (ModelMetadata.Input input : inputs) {
            if (json.charAt(json.length() - 1) == '}') {
                json.append(',');
            }
            write(json, input);
        }
        return json.append("]}").toString().getBytes(StandardCharsets.UTF_8);
    }

    private void write(StringBuilder json, ModelMetadata.Input input) {
        String shape = input.shape().stream().map(Object::toString).collect(Collectors.joining(","));
        json.append("{\"name\":").append(new JsonText().string(input.name()));
        json.append(",\"shape\":[").append(shape);
        json.append("],\"datatype\":").append(new JsonText().string(input.datatype()));
        json.append(",\"data\":[");
        long count = elements(input.shape(), input.name());
        for (long i = 0; i < count; i++) {
            if (i > 0) {
                json.append(',');
            }
            element(json, input);
        }
        json.append("]}");
    }

    private void element(StringBuilder json, ModelMetadata.Input input) {
        switch (input.datatype()) {
            case "BOOL" -> json.append(random.nextBoolean());
            case "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64" ->
                json.append(random.nextInt(INTEGERS));
            case "FP16", "BF16", "FP32", "FP64" -> json.append(Math.round(random.nextGaussian() * ROUND) / ROUND);
            case "BYTES" -> json.append('"').append(word()).append('"');
            default ->
                throw new IllegalArgumentException("input '" + input.name() + "' has datatype " + input.datatype()
                        + ", for which there are no random values; give bodies with --data");
        }
    }

    private String word() {
        StringBuilder word = new StringBuilder();
        for (int left = 1 + random.nextInt(MAX_WORD); left > 0; left--) {
            word.append((char) ('a' + random.nextInt(LETTERS)));
        }
        return word.toString();
    }
}
