// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Writes protocol buffers field by field, and small ONNX models of them.
public final class Proto {
    public static final int FLOAT = 1;
    public static final int INT64 = 7;

    private Proto() {}

    public static byte[] field(int number, byte[]... parts) {
        byte[] bytes = join(parts);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, ((long) number << 3) | 2);
        varint(out, bytes.length);
        out.writeBytes(bytes);
        return out.toByteArray();
    }

    public static byte[] field(int number, String text) {
        return field(number, text.getBytes(StandardCharsets.UTF_8));
    }

    public static byte[] field(int number, long value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, (long) number << 3);
        varint(out, value);
        return out.toByteArray();
    }

    public static void varint(ByteArrayOutputStream out, long value) {
        for (long rest = value; ; rest >>>= 7) {
            if (rest >= 0 && rest <= 0x7F) {
                out.write((int) rest);
                return;
            }
            out.write((int) ((rest & 0x7F) | 0x80));
        }
    }

    public static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /// A model of one graph, whose fields these are.
    public static byte[] model(int opset, byte[]... graphFields) {
        return join(
                field(1, 9),
                field(8, field(1, ""), field(2, opset)),
                field(8, field(1, "ai.onnx.ml"), field(2, 3)),
                field(7, join(graphFields), field(2, "graph")));
    }

    /// A node of the graph, to be put into its field 1.
    public static byte[] node(String type, String[] inputs, String[] outputs, byte[]... attributes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (String input : inputs) {
            out.writeBytes(field(1, input));
        }
        for (String output : outputs) {
            out.writeBytes(field(2, output));
        }
        out.writeBytes(field(4, type));
        out.writeBytes(join(attributes));
        return field(1, out.toByteArray());
    }

    public static String[] names(String... names) {
        return names;
    }

    /// What a value is called and of which type it is; dimensions of -1 are called `n`.
    public static byte[] value(String name, int type, long... dims) {
        ByteArrayOutputStream shape = new ByteArrayOutputStream();
        for (long dim : dims) {
            shape.writeBytes(field(1, dim < 0 ? field(2, "n") : field(1, dim)));
        }
        return join(field(1, name), field(2, field(1, field(1, type), field(2, shape.toByteArray()))));
    }

    /// The model's input.
    public static byte[] input(String name, int type, long... dims) {
        return field(11, value(name, type, dims));
    }

    /// The model's output.
    public static byte[] output(String name, int type, long... dims) {
        return field(12, value(name, type, dims));
    }

    /// A tensor with its data, or what says where they are, in these fields.
    public static byte[] tensor(String name, int type, long[] dims, byte[]... fields) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (long dim : dims) {
            out.writeBytes(field(1, dim));
        }
        return join(out.toByteArray(), field(2, type), field(8, name), join(fields));
    }

    /// The fields of a tensor that lies in a file.
    public static byte[] external(String location, long offset, long length) {
        return join(
                field(13, field(1, "location"), field(2, location)),
                field(13, field(1, "offset"), field(2, Long.toString(offset))),
                field(13, field(1, "length"), field(2, Long.toString(length))),
                field(14, 1));
    }

    /// The field of a tensor of whole numbers.
    public static byte[] int64s(long... values) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (long value : values) {
            varint(out, value);
        }
        return field(7, out.toByteArray());
    }

    /// An attribute of whole numbers.
    public static byte[] attribute(String name, long... values) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (long value : values) {
            varint(out, value);
        }
        return field(5, field(1, name), field(8, out.toByteArray()), field(20, 7));
    }

    /// y = relu(x), rows of four.
    public static byte[] relu() {
        return model(17, node("Relu", names("x"), names("y")), input("x", FLOAT, -1, 4), output("y", FLOAT, -1, 4));
    }

    /// y = x + w, where w lies in a file: two numbers of four bytes at its begin.
    public static byte[] addOf(String location) {
        return model(
                17,
                node("Add", names("x", "w"), names("y")),
                field(5, tensor("w", FLOAT, new long[] {2}, external(location, 0, 8))),
                input("x", FLOAT, -1, 2),
                output("y", FLOAT, -1, 2));
    }
}
