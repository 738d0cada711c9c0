// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.json.JsonWriter;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.util.Arrays;
import java.util.List;

/// Reads the body of a prediction request of TensorFlow Serving's REST API, which is KServe's V1, too, into a call's
/// tensors.
///
/// Unlike a request of V2 it does not tell its shapes. So values are passed over twice, to count and to read them, and
/// without a tree: a shape is that of the first elements, and all others have to fit it. Threads: one; results belong
/// to the last request that was decoded.
public final class PredictDecoder {
    private static final int MAX_RANK = 32;
    private static final byte[] INSTANCES = JsonWriter.ascii("instances");
    private static final byte[] INPUTS = JsonWriter.ascii("inputs");
    private static final byte[] SIGNATURE_NAME = JsonWriter.ascii("signature_name");
    private static final byte[] CONTEXT = JsonWriter.ascii("context");
    private static final byte[] REPORTS = JsonWriter.ascii("reports");
    private static final byte[] DATATYPE = JsonWriter.ascii("datatype");
    private static final byte[] BASE64 = JsonWriter.ascii("b64");

    private final Limits limits;
    private final JsonReader json;
    private final DataDecoder data = new DataDecoder(true);
    private final long[] shape = new long[MAX_RANK + 1];

    private Call call;
    private List<TensorSpec> specs;
    private byte[][] names;
    private int bodyLength;
    private int rank;
    private long elements;
    private boolean rows;
    /// Of raw values: which are in the context, and which an instance has besides.
    private boolean[] common = {};

    private boolean[] seen = {};

    /// @param limits what a request may have
    public PredictDecoder(Limits limits) {
        this.limits = limits;
        this.json = new JsonReader(limits.count(Limit.MAX_JSON_DEPTH));
    }

    /// Whether the request has a value for each row, and is to be answered with one for each.
    public boolean isRows() {
        return rows;
    }

    /// Reads a body.
    ///
    /// @param inputNames the names of the model's inputs in UTF-8
    /// @param body has [JsonReader#PADDING] bytes after the request's `length`
    /// @throws Refusal if it is no request that the call's model can answer
    public void decode(Call filled, byte[][] inputNames, byte[] body, int offset, int length) {
        call = filled;
        specs = filled.signature().inputs();
        names = inputNames;
        bodyLength = length;
        elements = 0;
        json.reset(body, offset, length);
        try {
            decode();
        } catch (JsonException e) {
            String message = "malformed JSON at " + e.getMessage();
            throw json.isTooDeep() ? Refusal.tooDeep(message) : Refusal.invalid(message);
        } finally {
            call = null;
        }
    }

    /// Whether a body is a request of V1 and none of V2, which has a list of tensors for `inputs`.
    ///
    /// @param body has [JsonReader#PADDING] bytes after the request's `length`
    public boolean takes(byte[] body, int offset, int length) {
        json.reset(body, offset, length);
        try {
            if (json.token() != Token.OBJECT) {
                return false;
            }
            json.enterObject();
            while (json.nextMember()) {
                if (json.isKey(INSTANCES)) {
                    return true;
                }
                if (json.isKey(INPUTS)) {
                    return !areTensors();
                }
                json.skip();
            }
            return false;
        } catch (JsonException _) {
            // Whoever decodes it says what is wrong.
            return false;
        }
    }

    private boolean areTensors() {
        if (json.token() != Token.ARRAY) {
            return false;
        }
        json.enterArray();
        if (!json.nextElement() || json.token() != Token.OBJECT) {
            return false;
        }
        json.enterObject();
        while (json.nextMember()) {
            if (json.isKey(DATATYPE)) {
                return true;
            }
            json.skip();
        }
        return false;
    }

    private void decode() {
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid("the body is " + (json.token() == Token.END ? "empty" : json.describe())
                    + ", expected a JSON object");
        }
        int instances = -1;
        int inputs = -1;
        int context = -1;
        boolean raw = call.raw() != null;
        json.enterObject();
        while (json.nextMember()) {
            if (json.isKey(INSTANCES)) {
                instances = json.position();
                json.skip();
            } else if (json.isKey(INPUTS)) {
                inputs = json.position();
                json.skip();
            } else if (json.isKey(SIGNATURE_NAME)) {
                Texts.optional(json, "'signature_name'");
            } else if (raw && json.isKey(CONTEXT)) {
                context = json.position();
                json.skip();
            } else if (raw && json.isKey(REPORTS)) {
                call.raw().reporting(Texts.truth(json, "'reports'"));
            } else {
                json.skip();
            }
        }
        if (json.token() != Token.END) {
            throw Refusal.invalid("after the request's JSON object comes " + json.describe());
        }
        if ((instances < 0) == (inputs < 0)) {
            throw Refusal.invalid("the request has "
                    + (inputs < 0 ? "neither 'instances' nor 'inputs'" : "both 'instances' and 'inputs'")
                    + ", expected one of them");
        }
        rows = instances >= 0;
        if (raw && rows) {
            decodeRaw(context, instances);
            return;
        }
        if (context >= 0) {
            throw Refusal.invalid("'context' is for requests with 'instances', this one has 'inputs'");
        }
        json.seek(rows ? instances : inputs);
        if (rows) {
            decodeInstances();
        } else {
            decodeInputs();
        }
    }

    // ---- raw values ----

    /// Values that all instances have in common are one element of their input, those of instances an element for each.
    private void decodeRaw(int context, int instances) {
        json.seek(instances);
        long count = countInstances();
        clearMarks();
        if (context >= 0) {
            json.seek(context);
            decodeContext();
        }
        for (int i = 0; i < common.length; i++) {
            if (!common[i]) {
                shape[0] = count;
                rank = 1;
                reshape(i);
            }
        }
        rank = 0;
        json.seek(instances);
        json.enterArray();
        for (long row = 0; json.nextElement(); row++) {
            System.arraycopy(common, 0, seen, 0, seen.length);
            decodeRawInstance(row);
        }
    }

    private void clearMarks() {
        if (common.length == specs.size()) {
            Arrays.fill(common, false);
        } else {
            common = new boolean[specs.size()];
            seen = new boolean[specs.size()];
        }
    }

    private long countInstances() {
        requireArray();
        long count = 0;
        json.enterArray();
        while (json.nextElement()) {
            json.skip();
            count++;
        }
        if (count == 0) {
            throw Refusal.invalid("'instances' is empty, expected at least one");
        }
        return count;
    }

    private void decodeContext() {
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid("'context' is " + json.describe() + ", expected an object");
        }
        json.enterObject();
        while (json.nextMember()) {
            int input = input();
            if (common[input]) {
                throw Refusal.invalid("input '" + specs.get(input).name() + "' of 'context' comes twice");
            }
            common[input] = true;
            shape[0] = 1;
            rank = 1;
            reshape(input);
            data.decodePart(json, specs.get(input).name(), call.input(input), shape, 0, 1, 0);
        }
    }

    private void decodeRawInstance(long row) {
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid("instance " + row + " is " + json.describe() + ", expected an object with inputs of "
                    + specs.stream().map(TensorSpec::name).toList());
        }
        json.enterObject();
        while (json.nextMember()) {
            int input = input();
            if (seen[input]) {
                throw Refusal.invalid("input '" + specs.get(input).name() + "' of instance " + row + " comes "
                        + (common[input] ? "in 'context', too" : "twice"));
            }
            seen[input] = true;
            data.decodePart(json, specs.get(input).name(), call.input(input), shape, 0, 1, row);
        }
        for (int i = 0; i < seen.length; i++) {
            if (!seen[i] && !specs.get(i).optional()) {
                throw Refusal.invalid(
                        "instance " + row + " has no input '" + specs.get(i).name() + "'");
            }
            if (!seen[i]) {
                call.input(i).setNull(row, true);
            }
        }
    }

    private void requireArray() {
        if (json.token() != Token.ARRAY) {
            throw Refusal.invalid("'instances' is " + json.describe() + ", expected an array");
        }
    }

    // ---- a value for each row ----

    private void decodeInstances() {
        requireArray();
        int start = json.position();
        int first = -1;
        long count = 0;
        json.enterArray();
        while (json.nextElement()) {
            first = first < 0 ? json.position() : first;
            json.skip();
            count++;
        }
        if (count == 0) {
            throw Refusal.invalid("'instances' is empty, expected at least one");
        }
        json.seek(first);
        if (isNamed()) {
            decodeNamedInstances(start, first, count);
        } else {
            decodeValue(onlyInput("each instance"), start);
        }
    }

    /// Whether an object of inputs by their names comes next, and not a string in base64.
    private boolean isNamed() {
        if (json.token() != Token.OBJECT) {
            return false;
        }
        int start = json.position();
        json.enterObject();
        boolean named = true;
        while (json.nextMember()) {
            named &= !json.isKey(BASE64);
            json.skip();
        }
        json.seek(start);
        return named;
    }

    private int onlyInput(String what) {
        if (specs.size() != 1) {
            throw Refusal.invalid(what + " is expected to be an object with the model's inputs "
                    + specs.stream().map(TensorSpec::name).toList());
        }
        return 0;
    }

    /// The first instance tells the shapes of all.
    private void decodeNamedInstances(int start, int first, long count) {
        long[] shapes = new long[specs.size() * (MAX_RANK + 1)];
        int[] ranks = new int[specs.size()];
        Arrays.fill(ranks, -1);
        json.seek(first);
        json.enterObject();
        while (json.nextMember()) {
            int input = input();
            int value = json.position();
            measure();
            System.arraycopy(shape, 0, shape, 1, rank);
            shape[0] = count;
            rank++;
            reshape(input);
            System.arraycopy(shape, 0, shapes, input * (MAX_RANK + 1), rank);
            ranks[input] = rank;
            json.seek(value);
            json.skip();
        }
        requireAll(ranks);
        json.seek(start);
        json.enterArray();
        boolean[] met = new boolean[specs.size()];
        for (long row = 0; json.nextElement(); row++) {
            Arrays.fill(met, false);
            decodeInstance(row, shapes, ranks, met);
        }
    }

    private void decodeInstance(long row, long[] shapes, int[] ranks, boolean[] met) {
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid("instance " + row + " is " + json.describe() + ", expected an object as before");
        }
        json.enterObject();
        while (json.nextMember()) {
            int input = input();
            if (met[input]) {
                throw Refusal.invalid("input '" + specs.get(input).name() + "' of instance " + row + " comes twice");
            }
            met[input] = true;
            int from = input * (MAX_RANK + 1);
            rank = ranks[input] - 1;
            System.arraycopy(shapes, from + 1, shape, 0, rank);
            long size = product();
            data.decodePart(json, specs.get(input).name(), call.input(input), shape, rank, size, row * size);
        }
        for (int input = 0; input < met.length; input++) {
            if (!met[input]) {
                throw Refusal.invalid(
                        "instance " + row + " has no input '" + specs.get(input).name() + "'");
            }
        }
    }

    // ---- a value for each input ----

    private void decodeInputs() {
        if (!isNamed()) {
            decodeValue(onlyInput("'inputs'"), json.position());
            return;
        }
        int[] ranks = new int[specs.size()];
        Arrays.fill(ranks, -1);
        json.enterObject();
        while (json.nextMember()) {
            int input = input();
            if (ranks[input] >= 0) {
                throw Refusal.invalid("input '" + specs.get(input).name() + "' comes a second time");
            }
            decodeValue(input, json.position());
            ranks[input] = rank;
        }
        requireAll(ranks);
    }

    private void decodeValue(int input, int start) {
        json.seek(start);
        measure();
        reshape(input);
        json.seek(start);
        data.decodePart(json, specs.get(input).name(), call.input(input), shape, rank, product(), 0);
    }

    // ---- for both ----

    /// The input whose name is the key that was gone to.
    private int input() {
        for (int i = 0; i < names.length; i++) {
            if (json.isKey(names[i])) {
                return i;
            }
        }
        throw Refusal.invalid("model '" + call.model() + "' has no input '" + json.text() + "'; it has "
                + specs.stream().map(TensorSpec::name).toList());
    }

    private void requireAll(int[] ranks) {
        for (int input = 0; input < ranks.length; input++) {
            if (ranks[input] < 0 && specs.get(input).optional()) {
                call.input(input).clear();
            } else if (ranks[input] < 0) {
                throw InputReader.missing(specs.get(input));
            }
        }
    }

    /// Finds the shape of the value that comes next, by its first elements.
    private void measure() {
        rank = 0;
        while (json.token() == Token.ARRAY) {
            if (rank == MAX_RANK) {
                throw Refusal.invalid("a value has more than " + MAX_RANK + " dimensions");
            }
            int first = -1;
            long count = 0;
            json.enterArray();
            while (json.nextElement()) {
                first = first < 0 ? json.position() : first;
                json.skip();
                count++;
            }
            shape[rank++] = count;
            if (first < 0) {
                return;
            }
            json.seek(first);
        }
    }

    /// Gives an input the shape that was found, if it may have that.
    private void reshape(int input) {
        TensorSpec spec = specs.get(input);
        boolean fits = rank == spec.shape().size();
        for (int axis = 0; axis < rank && fits; axis++) {
            long expected = spec.shape().get(axis);
            fits = expected < 0 || expected == shape[axis];
        }
        if (!fits) {
            throw Refusal.invalid("input '" + spec.name() + "' has shape " + Arrays.toString(Arrays.copyOf(shape, rank))
                    + ", expected " + spec.shape());
        }
        long count = product();
        if (count > bodyLength) {
            // Each takes a byte and more. So the first ones have a shape that not all of them have.
            throw Refusal.invalid("input '" + spec.name() + "' has fewer elements than its shape "
                    + Arrays.toString(Arrays.copyOf(shape, rank)));
        }
        elements += count;
        if (elements > limits.get(Limit.MAX_ELEMENTS)) {
            throw Refusal.tooLarge(
                    limits,
                    Limit.MAX_ELEMENTS,
                    "input '" + spec.name() + "' has " + count + " elements, with those before " + elements);
        }
        Tensor tensor = call.input(input);
        tensor.reshape(shape, rank);
    }

    /// The elements of the shape; more than the body can have if they cannot be counted.
    private long product() {
        long product = 1;
        for (int axis = 0; axis < rank; axis++) {
            if (Math.multiplyHigh(product, shape[axis]) != 0 || product * shape[axis] < 0) {
                return Long.MAX_VALUE;
            }
            product *= shape[axis];
        }
        return product;
    }
}
