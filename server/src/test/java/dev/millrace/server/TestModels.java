// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Base64;

/// Models for tests that change them: the test model `linear` with another constant, which its answers tell.
public final class TestModels {
    /// Where the first number that it adds is in the file.
    private static final int BIAS = 0x7a;

    /// What `linear` answers first to `Bodies.LINEAR`, without what it adds.
    private static final float WITHOUT_BIAS = 30;

    /// An even number, so that what they add is taken away again.
    private static final int OPERATORS = 120;

    private TestModels() {}

    /// The model that answers `Bodies.LINEAR` with this number first.
    public static byte[] answering(float number) {
        try {
            byte[] model = Files.readAllBytes(TestServer.models().resolve("linear/1/model.onnx"));
            ByteBuffer buffer = ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN);
            if (buffer.getFloat(BIAS) != 0.5f) {
                throw new IllegalStateException("the test model is another one");
            }
            buffer.putFloat(BIAS, number - WITHOUT_BIAS);
            return model;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A model with the tensors of `linear` that answers with this number first, whatever it is asked, and that has so
    /// many operators that its optimised graph is kept.
    ///
    /// @param rows of two numbers in the table that it looks its answer up in; its size is 8 bytes for each
    public static byte[] manyOperators(float number, int rows) {
        float[] table = new float[2 * rows];
        for (int i = 0; i < table.length; i++) {
            table[i] = number;
        }
        ByteArrayOutputStream chain = new ByteArrayOutputStream();
        for (int i = 0; i < OPERATORS; i++) {
            String next = i == OPERATORS - 1 ? "y" : "v" + (i + 1);
            chain.writeBytes(OnnxBytes.node(i % 2 == 0 ? "Add" : "Sub", "v" + i + " c", next));
        }
        return OnnxBytes.model(
                OnnxBytes.node("ArgMax", "x", "at", OnnxBytes.attribute("axis", 1), OnnxBytes.attribute("keepdims", 0)),
                OnnxBytes.node("Gather", "table at", "v0"),
                chain.toByteArray(),
                OnnxBytes.floats("table", table, rows, 2),
                OnnxBytes.floats("c", new float[] {0.5f, 0.25f}, 2),
                OnnxBytes.input("x", 4),
                OnnxBytes.output("y", 2));
    }

    public static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    /// Writes a version of a model, which appears whole.
    public static void write(Path repository, String model, int version, byte[] content) {
        try {
            Path folder = Files.createDirectories(repository.resolve(model).resolve("" + version));
            Path partial = Files.write(folder.resolve(".partial"), content);
            Files.move(partial, folder.resolve("model.onnx"), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
