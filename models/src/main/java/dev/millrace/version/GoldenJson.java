// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/// A golden as two files of JSON: a request in the Open Inference Protocol's words and the outputs of its answer, with
/// `atol` and `rtol`. Threads: stateless.
///
/// @param name of the pair, `goldens/NAME`
record GoldenJson(Path request, Path answer, String name) implements Golden {
    static final String REQUEST = ".request.json";
    static final String ANSWER = ".expected.json";

    /// The text is held as a whole.
    private static final long MAX_BYTES = 16L << 20;

    private static final Pattern NUMBER = Pattern.compile("-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?|-?Infinity|NaN");
    private static final Pattern INTEGER = Pattern.compile("-?[0-9]{1,20}");

    @Override
    public Tensor[] request(List<ValueInfo> inputs, boolean raw, MemoryBudget budget) throws IOException {
        Reader reader = new Reader(name + REQUEST, read(request, name + REQUEST), "input", inputs, budget);
        reader.raw = raw;
        Tensor[] tensors = reader.tensors();
        for (int i = 0; i < tensors.length && !raw; i++) {
            if (tensors[i] == null) {
                Arrays.stream(tensors).filter(Objects::nonNull).forEach(Tensor::close);
                throw new IllegalArgumentException(
                        name + REQUEST + " has no input '" + inputs.get(i).name() + "', expected all of the model's");
            }
        }
        return tensors;
    }

    @Override
    public Expected expected(List<ValueInfo> outputs, MemoryBudget budget) throws IOException {
        Reader reader = new Reader(name + ANSWER, read(answer, name + ANSWER), "output", outputs, budget);
        Tensor[] tensors = reader.tensors();
        String[] files = new String[tensors.length];
        Arrays.fill(files, name + ANSWER);
        return new Expected(tensors, files, reader.atol, reader.rtol);
    }

    private static String read(Path file, String name) throws IOException {
        if (Files.size(file) > MAX_BYTES) {
            throw new IllegalArgumentException(
                    name + " has " + Files.size(file) + " bytes, expected " + MAX_BYTES + " at most");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(name + " is not UTF-8", e);
        }
    }

    /// One reading of one file.
    private static final class Reader {
        private final String file;
        private final JsonText json;
        private final String kind;
        private final List<ValueInfo> values;
        private final MemoryBudget budget;
        private final Tensor[] tensors;
        private boolean raw;
        private double atol = Goldens.ATOL;
        private double rtol = Goldens.RTOL;

        Reader(String file, String text, String kind, List<ValueInfo> values, MemoryBudget budget) {
            this.file = file;
            this.json = new JsonText(text);
            this.kind = kind;
            this.values = values;
            this.budget = budget;
            this.tensors = new Tensor[values.size()];
        }

        Tensor[] tensors() {
            try {
                message();
                return tensors;
            } catch (RuntimeException e) {
                Arrays.stream(tensors).filter(Objects::nonNull).forEach(Tensor::close);
                throw e instanceof IllegalArgumentException
                        ? new IllegalArgumentException(file + ": " + e.getMessage(), e)
                        : e;
            }
        }

        private void message() {
            boolean found = false;
            json.enter('{');
            while (json.more('}')) {
                String field = json.name();
                switch (field) {
                    case "atol" -> atol = tolerance(field);
                    case "rtol" -> rtol = tolerance(field);
                    default -> {
                        if (field.equals(kind + "s")) {
                            found = true;
                            list();
                        } else {
                            json.skip();
                        }
                    }
                }
            }
            json.end();
            if (!found) {
                throw new IllegalArgumentException("it has no " + kind + "s, expected a list of them");
            }
        }

        private double tolerance(String field) {
            String text = json.literal();
            double value = number(text, field, "a number");
            if (!(value >= 0)) {
                throw new IllegalArgumentException(field + " is " + text + ", expected 0 or more");
            }
            return value;
        }

        private void list() {
            int index = 0;
            json.enter('[');
            while (json.more(']')) {
                tensor(kind + "s[" + index++ + "]");
            }
        }

        private void tensor(String at) {
            String name = null;
            String datatype = null;
            long[] shape = null;
            int data = -1;
            json.enter('{');
            while (json.more('}')) {
                switch (json.name()) {
                    case "name" -> name = json.string();
                    case "datatype" -> datatype = json.string();
                    case "shape" -> shape = shape(at);
                    case "data" -> {
                        data = json.here();
                        json.skip();
                    }
                    default -> json.skip();
                }
            }
            require(name, at + ".name");
            require(datatype, at + ".datatype");
            require(shape, at + ".shape");
            require(data < 0 ? null : "", at + ".data");
            int end = json.here();
            fill(at, index(at, name), datatype, shape, data);
            json.go(end);
        }

        private static void require(Object value, String field) {
            if (value == null) {
                throw new IllegalArgumentException(field + " is missing");
            }
        }

        private int index(String at, String name) {
            for (int i = 0; i < values.size(); i++) {
                if (values.get(i).name().equals(name)) {
                    if (tensors[i] != null) {
                        throw new IllegalArgumentException(at + ".name is '" + name + "', which came before");
                    }
                    return i;
                }
            }
            throw new IllegalArgumentException(at + ".name is '" + name + "', expected one of "
                    + values.stream().map(ValueInfo::name).toList());
        }

        private long[] shape(String at) {
            List<Long> dims = new ArrayList<>();
            json.enter('[');
            while (json.more(']')) {
                dims.add(integer(
                        json.literal(),
                        at + ".shape[" + dims.size() + "]",
                        BigInteger.ZERO,
                        BigInteger.valueOf(Long.MAX_VALUE)));
            }
            return dims.stream().mapToLong(Long::longValue).toArray();
        }

        private void fill(String at, int index, String datatype, long[] shape, int data) {
            ValueInfo value = values.get(index);
            if (!value.datatype().name().equals(datatype)) {
                throw new IllegalArgumentException(
                        at + ".datatype is " + datatype + ", expected " + value.datatype() + " as the model has it");
            }
            long elements = 1;
            for (long dim : shape) {
                // There cannot be more elements than characters.
                elements = Math.min(elements, json.length()) * Math.min(dim, json.length());
            }
            if (elements > json.length()) {
                throw new IllegalArgumentException(at + ".shape is " + Arrays.toString(shape)
                        + ", expected no more elements than " + at + ".data has");
            }
            Tensor tensor = new Tensor(budget, MemoryTag.CALL, value.datatype());
            tensors[index] = raw ? tensor.nullable() : tensor;
            tensors[index].reshape(shape);
            json.go(data);
            if (!json.isAt('[')) {
                throw new IllegalArgumentException(at + ".data is no list, expected one of the elements");
            }
            int came = elements(at, tensors[index], 0);
            if (came != elements) {
                throw new IllegalArgumentException(at + ".data has " + came + " elements, expected " + elements
                        + " as its shape " + Arrays.toString(shape) + " says");
            }
        }

        /// Reads a list of elements or of such lists; how many elements there are now.
        private int elements(String at, Tensor tensor, int before) {
            int index = before;
            json.enter('[');
            while (json.more(']')) {
                if (json.isAt('[')) {
                    index = elements(at, tensor, index);
                } else if (index < tensor.elementCount()) {
                    element(at + ".data[" + index + "]", tensor, index);
                    index++;
                } else {
                    json.skip();
                    index++;
                }
            }
            return index;
        }

        private void element(String at, Tensor tensor, int index) {
            DataType type = tensor.datatype();
            if (tensor.isNullable() && json.isAt('n')) {
                if (!json.literal().equals("null")) {
                    throw new IllegalArgumentException(at + " is no value, expected one of type " + type + " or null");
                }
                tensor.setNull(index, true);
                return;
            }
            if (type == DataType.BYTES) {
                if (!json.isAt('"')) {
                    throw new IllegalArgumentException(at + " is " + json.literal() + ", expected a text");
                }
                tensor.setString(index, json.string());
                return;
            }
            if (json.isAt('"') || json.isAt('{')) {
                throw new IllegalArgumentException(at + " is no number, expected one of type " + type);
            }
            String text = json.literal();
            switch (type) {
                case BOOL -> tensor.setLong(index, bool(text, at));
                case FP32 -> {
                    number(text, at, "a number");
                    tensor.setFloat(index, Float.parseFloat(text));
                }
                case FP64, FP16, BF16 -> tensor.setReal(index, number(text, at, "a number"));
                case UINT8, UINT16, UINT32, UINT64 ->
                    tensor.setLong(
                            index,
                            integer(
                                    text,
                                    at,
                                    BigInteger.ZERO,
                                    BigInteger.ONE
                                            .shiftLeft(8 * type.byteSize())
                                            .subtract(BigInteger.ONE)));
                default -> {
                    BigInteger bound = BigInteger.ONE.shiftLeft(8 * type.byteSize() - 1);
                    tensor.setLong(index, integer(text, at, bound.negate(), bound.subtract(BigInteger.ONE)));
                }
            }
        }

        private static long bool(String text, String at) {
            return switch (text) {
                case "true", "1" -> 1;
                case "false", "0" -> 0;
                default -> throw new IllegalArgumentException(at + " is " + text + ", expected true or false");
            };
        }

        private static double number(String text, String at, String expected) {
            if (!NUMBER.matcher(text).matches()) {
                throw new IllegalArgumentException(at + " is " + text + ", expected " + expected);
            }
            return Double.parseDouble(text);
        }

        private static long integer(String text, String at, BigInteger least, BigInteger most) {
            if (INTEGER.matcher(text).matches()) {
                BigInteger value = new BigInteger(text);
                if (value.compareTo(least) >= 0 && value.compareTo(most) <= 0) {
                    return value.longValue();
                }
            }
            throw new IllegalArgumentException(
                    at + " is " + text + ", expected an integer from " + least + " to " + most);
        }
    }
}
