// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/// Small ONNX models that tell by their answers which they are: the output `y` is the input `x`, rows of `width`
/// numbers, plus a constant.
final class ConstantModel {
    private static final int LENGTH = 2;

    private ConstantModel() {}

    /// Puts version `version` of a model into a repository, in one step if there is one already.
    static void add(Path root, String model, long version, float constant) {
        add(root, model, version, constant, 1, "x");
    }

    static void add(Path root, String model, long version, float constant, int width, String input) {
        try {
            Path folder = Files.createDirectories(root.resolve(model).resolve(Long.toString(version)));
            Path fresh = Files.createTempFile(root, ".fresh", ".onnx");
            Files.write(fresh, bytes(constant, width, input));
            Files.move(fresh, folder.resolve("model.onnx"), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] bytes(float constant, int width, String input) {
        Fields node = new Fields()
                .text(1, input)
                .text(1, "c")
                .text(2, "y")
                .text(3, "add")
                .text(4, "Add");
        byte[] value = ByteBuffer.allocate(Float.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(constant)
                .array();
        Fields initializer = new Fields().number(1, 1).number(2, 1).text(8, "c").bytes(9, value);
        Fields graph = new Fields()
                .message(1, node)
                .text(2, "constant")
                .message(5, initializer)
                .message(11, rows(input, width))
                .message(12, rows("y", width));
        return new Fields()
                .number(1, 8)
                .message(7, graph)
                .message(8, new Fields().text(1, "").number(2, 17))
                .out
                .toByteArray();
    }

    private static Fields rows(String name, int width) {
        Fields shape = new Fields().message(1, new Fields().text(2, "batch")).message(1, new Fields().number(1, width));
        Fields tensor = new Fields().number(1, 1).message(2, shape);
        return new Fields().text(1, name).message(2, new Fields().message(1, tensor));
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
            return bytes(field, value.out.toByteArray());
        }

        Fields bytes(int field, byte[] value) {
            varint(((long) field << 3) | LENGTH);
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
    }
}
