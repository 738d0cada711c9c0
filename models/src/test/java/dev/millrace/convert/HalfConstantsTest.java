// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.onnx.ProtoMessage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What constants take of the heap while they become halves.
class HalfConstantsTest {
    private static final int BYTES = 8 << 20;

    @TempDir
    Path temp;

    private Path out() throws IOException {
        return Files.createDirectories(temp.resolve("out")).resolve("model.onnx");
    }

    /// Constants that are all in one place of another file, under two names of it.
    ///
    /// @param used by nodes, of those
    private Path shared(int count, int used) throws IOException {
        try (RandomAccessFile data = new RandomAccessFile(temp.resolve("w.bin").toFile(), "rw")) {
            data.setLength(BYTES);
        }
        Graphs graph = new Graphs()
                .input("x", -1, 2)
                .output("y", -1, 2)
                .longs("at", 0)
                .weights("w", 2, 2)
                .node("MatMul: x, w -> sum0");
        for (int i = 0; i < count; i++) {
            graph.add(external("u" + i, i % 2 == 0 ? "w.bin" : "./w.bin"));
        }
        for (int i = 0; i < used; i++) {
            graph.node("Gather: u" + i + ", at -> one" + i).node("Add: sum" + i + ", one" + i + " -> sum" + (i + 1));
        }
        graph.node("Neg: sum" + used + " -> y");
        Path file = temp.resolve("in.onnx");
        OnnxGraph made = graph.graph("test");
        try (OnnxFile model = OnnxFile.of(made, 8, Map.of("ai.onnx", 17L), "a test")) {
            return Files.write(file, model.toBytes());
        }
    }

    private static OnnxTensor external(String name, String location) {
        return new OnnxTensor(new ProtoMessage()
                .setNumbers(1, BYTES / Float.BYTES)
                .setNumber(2, 1)
                .setText(8, name)
                .setNumber(14, 1)
                .setMessages(13, List.of(entry("location", location), entry("length", Integer.toString(BYTES)))));
    }

    private static ProtoMessage entry(String key, String value) {
        return new ProtoMessage().setText(1, key).setText(2, value);
    }

    @Test
    void shouldNotReadConstantsThatNothingTakes() throws IOException {
        HalfPrecision.Result result = HalfPrecision.convert(shared(8, 0), out(), 1e-2);

        assertThat(result.constants()).isOne();
    }

    @Test
    void shouldTakeNoMoreOfTheHeapThanTheFilesAreLong() throws IOException {
        Path two = shared(2, 2);
        assertThat(HalfPrecision.convert(two, out(), 1e-2).constants()).isEqualTo(3);
        Files.delete(out());

        Path many = shared(4, 4);

        assertThatThrownBy(() -> HalfPrecision.convert(many, out(), 1e-2))
                .isInstanceOf(InvalidModelException.class)
                .hasMessageContaining("its constants take more than ");
        assertThat(out()).doesNotExist();
        assertThat(Arrays.stream(temp.resolve("out").toFile().list())).isEmpty();
    }
}
