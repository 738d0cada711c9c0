// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.IntToLongFunction;

/// Writes models as files have them, field by field.
final class OnnxBytes {
    static final int FLOAT = 1;
    static final int INT64 = 7;
    static final int BOOL = 9;

    private static final int FLOATS = 6;
    private static final int INTS = 7;
    private static final int GRAPH = 5;

    private OnnxBytes() {}

    static byte[] field(int number, byte[]... parts) {
        byte[] bytes = join(parts);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, ((long) number << 3) | 2);
        varint(out, bytes.length);
        out.writeBytes(bytes);
        return out.toByteArray();
    }

    static byte[] text(int number, String text) {
        return field(number, text.getBytes(StandardCharsets.UTF_8));
    }

    static byte[] number(int number, long value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, (long) number << 3);
        varint(out, value);
        return out.toByteArray();
    }

    private static void varint(ByteArrayOutputStream out, long value) {
        long rest = value;
        while (rest > 0x7F) {
            out.write((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /// A model of one graph, whose fields these are.
    static byte[] model(byte[]... graph) {
        return join(
                number(1, 9),
                field(8, text(1, ""), number(2, 17)),
                field(8, text(1, "ai.onnx.ml"), number(2, 3)),
                field(7, join(graph), text(2, "graph")));
    }

    /// A node of a graph.
    ///
    /// @param inputs names with a blank between; `-` for one that is left out
    static byte[] node(String type, String inputs, String output, byte[]... attributes) {
        ByteArrayOutputStream names = new ByteArrayOutputStream();
        for (String input : inputs.split(" ")) {
            names.writeBytes(text(1, input.equals("-") ? "" : input));
        }
        return field(1, names.toByteArray(), text(2, output), text(4, type), join(attributes));
    }

    /// The name and type of a value, and its shape: of so many columns, or of a single number if they are 0.
    static byte[] value(String name, int type, int columns) {
        byte[] shape = columns == 0 ? new byte[0] : join(field(1, text(2, "n")), field(1, number(1, columns)));
        return join(text(1, name), field(2, field(1, number(1, type), field(2, shape))));
    }

    static byte[] input(String name, int columns) {
        return field(11, value(name, FLOAT, columns));
    }

    static byte[] output(String name, int columns) {
        return field(12, value(name, FLOAT, columns));
    }

    /// A constant of a graph.
    ///
    /// @param dims its shape
    static byte[] floats(String name, float[] values, long... dims) {
        return constant(name, FLOAT, dims, field(9, bytes(values)));
    }

    /// A constant of a graph that is one number.
    static byte[] single(String name, long value) {
        ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value);
        return constant(name, INT64, new long[0], field(9, bytes.array()));
    }

    /// A constant of a graph whose values are in these fields.
    static byte[] constant(String name, int type, long[] dims, byte[]... values) {
        ByteArrayOutputStream shape = new ByteArrayOutputStream();
        for (long dim : dims) {
            shape.writeBytes(number(1, dim));
        }
        return field(5, shape.toByteArray(), number(2, type), text(8, name), join(values));
    }

    private static byte[] bytes(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return bytes.array();
    }

    /// An attribute of a node.
    static byte[] attribute(String name, long value) {
        return field(5, text(1, name), number(3, value), number(20, 2));
    }

    /// An attribute that is a graph with these fields.
    static byte[] attribute(String name, byte[]... graph) {
        return field(5, text(1, name), field(6, graph), number(20, GRAPH));
    }

    static byte[] ints(String name, int count, IntToLongFunction value) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            varint(all, value.applyAsLong(i));
        }
        return field(5, text(1, name), field(8, all.toByteArray()), number(20, INTS));
    }

    static byte[] floats(String name, float... values) {
        return field(5, text(1, name), field(7, bytes(values)), number(20, FLOATS));
    }
}
