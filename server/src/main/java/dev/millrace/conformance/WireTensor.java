// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import dev.millrace.json.JsonWriter;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// A tensor as it is sent or has come.
///
/// @param name its name
/// @param datatype what its elements are
/// @param shape its dimensions
/// @param elements as [Datatype] has them, row-major
record WireTensor(String name, Datatype datatype, List<Long> shape, List<Object> elements) {
    private static final double TOLERANCE = 1e-4;

    WireTensor {
        shape = List.copyOf(shape);
        elements = List.copyOf(elements);
    }

    static WireTensor floats(String name, List<Long> shape, double... values) {
        List<Object> elements = new ArrayList<>();
        for (double value : values) {
            elements.add((float) value);
        }
        return new WireTensor(name, Datatype.FP32, shape, elements);
    }

    static WireTensor integers(String name, Datatype datatype, List<Long> shape, String... values) {
        List<Object> elements = new ArrayList<>();
        for (String value : values) {
            elements.add(new BigInteger(value));
        }
        return new WireTensor(name, datatype, shape, elements);
    }

    /// An output with its elements as JSON.
    static WireTensor ofJson(Json output) {
        Datatype datatype = Datatype.of(output.get("datatype").text());
        List<Object> elements = new ArrayList<>();
        collect(output.get("data"), datatype, elements);
        return new WireTensor(
                        output.get("name").text(), datatype, output.get("shape").numbers(), elements)
                .checked();
    }

    private static void collect(Json data, Datatype datatype, List<Object> elements) {
        for (Json element : data.elements()) {
            if (element.value() instanceof List) {
                collect(element, datatype, elements);
            } else {
                elements.add(datatype.fromJson(element));
            }
        }
    }

    /// An output with its elements as bytes.
    static WireTensor ofBytes(Json output, ByteBuffer bytes) {
        Datatype datatype = Datatype.of(output.get("datatype").text());
        ByteBuffer source = bytes.order(ByteOrder.LITTLE_ENDIAN);
        List<Object> elements = new ArrayList<>();
        try {
            while (source.hasRemaining()) {
                elements.add(datatype.read(source));
            }
        } catch (BufferUnderflowException _) {
            throw Unmet.because("the bytes of output '" + output.get("name").text() + "' end within an element");
        }
        return new WireTensor(
                        output.get("name").text(), datatype, output.get("shape").numbers(), elements)
                .checked();
    }

    private WireTensor checked() {
        BigInteger count = BigInteger.ONE;
        for (long dimension : shape) {
            count = count.multiply(BigInteger.valueOf(dimension));
        }
        if (!count.equals(BigInteger.valueOf(elements.size()))) {
            throw Unmet.because("output '" + name + "' has shape " + shape + " and " + elements.size() + " elements");
        }
        return this;
    }

    WireTensor named(String other) {
        return new WireTensor(other, datatype, shape, elements);
    }

    /// The elements as a flat JSON array.
    String flat() {
        return elements.stream().map(WireTensor::text).collect(Collectors.joining(",", "[", "]"));
    }

    /// The elements as arrays nested by the shape.
    String nested() {
        return shape.isEmpty() ? flat() : nested(0, 0, elements.size());
    }

    private String nested(int axis, int from, int count) {
        if (axis == shape.size()) {
            return text(elements.get(from));
        }
        int parts = Math.toIntExact(shape.get(axis));
        StringBuilder json = new StringBuilder("[");
        for (int i = 0; i < parts; i++) {
            json.append(i == 0 ? "" : ",").append(nested(axis + 1, from + i * (count / parts), count / parts));
        }
        return json.append(']').toString();
    }

    private static String text(Object element) {
        return element instanceof String latin ? quote(latin) : element.toString();
    }

    private static String quote(String latin) {
        byte[] utf8 = new JsonWriter()
                .string(latin.getBytes(StandardCharsets.ISO_8859_1))
                .toBytes();
        return new String(utf8, StandardCharsets.UTF_8);
    }

    /// The elements as bytes.
    byte[] bytes() {
        int size = 0;
        for (Object element : elements) {
            size += datatype.sizeOf(element);
        }
        ByteBuffer target = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        for (Object element : elements) {
            datatype.write(element, target);
        }
        return target.array();
    }

    /// Wants the same name, datatype, shape and elements; floats may differ a little if `close`.
    void require(WireTensor expected, boolean close) {
        if (!name.equals(expected.name) || datatype != expected.datatype || !shape.equals(expected.shape)) {
            throw Unmet.because("expected output " + expected.head() + ", came " + head());
        }
        for (int i = 0; i < elements.size(); i++) {
            Object wanted = expected.elements.get(i);
            Object came = elements.get(i);
            if (!came.equals(wanted) && !(close && isClose(came, wanted))) {
                throw Unmet.because(
                        "element " + i + " of output '" + name + "' is " + shown(came) + ", expected " + shown(wanted));
            }
        }
    }

    private static boolean isClose(Object came, Object wanted) {
        if (!(came instanceof Float || came instanceof Double)) {
            return false;
        }
        double a = ((Number) came).doubleValue();
        double b = ((Number) wanted).doubleValue();
        return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b));
    }

    private static String shown(Object element) {
        return element instanceof String latin ? quote(latin) : element.toString();
    }

    private String head() {
        return "'" + name + "' " + datatype + " " + shape;
    }
}
