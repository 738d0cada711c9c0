// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Writes small ONNX models, field by field as protobuf has them. Not for several threads.
final class OnnxFile {
    private static final int IR_VERSION = 8;
    private static final int OPSET = 17;
    private static final int BYTES_FIELD = 2;
    private static final int INT_ATTRIBUTE = 2;

    private final Fields graph = new Fields();

    OnnxFile(String name) {
        graph.text(2, name);
    }

    /// @param dims numbers, or names of dimensions that may vary
    OnnxFile input(String name, Datatype datatype, List<String> dims) {
        graph.message(11, value(name, datatype, dims));
        return this;
    }

    OnnxFile output(String name, Datatype datatype, List<String> dims) {
        graph.message(12, value(name, datatype, dims));
        return this;
    }

    /// An operator without attributes.
    OnnxFile node(String operator, String output, String... inputs) {
        graph.message(1, operation(operator, output, inputs));
        return this;
    }

    /// An operator with one attribute, an integer.
    OnnxFile node(String operator, String attribute, long value, String output, String... inputs) {
        Fields field = new Fields().text(1, attribute).number(3, value).number(20, INT_ATTRIBUTE);
        graph.message(1, operation(operator, output, inputs).message(5, field));
        return this;
    }

    private static Fields operation(String operator, String output, String... inputs) {
        Fields node = new Fields();
        for (String input : inputs) {
            node.text(1, input);
        }
        return node.text(2, output).text(3, operator + " to " + output).text(4, operator);
    }

    private static Fields value(String name, Datatype datatype, List<String> dims) {
        Fields shape = new Fields();
        for (String dim : dims) {
            Fields dimension = new Fields();
            if (Character.isDigit(dim.charAt(0))) {
                dimension.number(1, Long.parseLong(dim));
            } else {
                dimension.text(2, dim);
            }
            shape.message(1, dimension);
        }
        Fields tensor = new Fields().number(1, datatype.onnxCode()).message(2, shape);
        return new Fields().text(1, name).message(2, new Fields().message(1, tensor));
    }

    byte[] bytes() {
        return new Fields()
                .number(1, IR_VERSION)
                .text(2, "millrace conformance")
                .message(7, graph)
                .message(8, new Fields().text(1, "").number(2, OPSET))
                .bytes();
    }

    /// The fields of one protobuf message.
    private static final class Fields {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Fields number(int field, long value) {
            varint((long) field << 3);
            varint(value);
            return this;
        }

        Fields text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Fields message(int field, Fields value) {
            return bytes(field, value.bytes());
        }

        private Fields bytes(int field, byte[] value) {
            varint(((long) field << 3) | BYTES_FIELD);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7FL) != 0) {
                out.write((int) ((rest & 0x7F) | 0x80));
                rest >>>= 7;
            }
            out.write((int) rest);
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
