// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static dev.millrace.version.Proto.FLOAT;
import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.input;
import static dev.millrace.version.Proto.model;
import static dev.millrace.version.Proto.names;
import static dev.millrace.version.Proto.node;
import static dev.millrace.version.Proto.output;
import static dev.millrace.version.Proto.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GraphCacheTest {
    private static final long ROOM = 10 << 20;

    @TempDir
    Path temp;

    private Path folder;
    private GraphCache cache;

    @BeforeEach
    void makeCache() {
        folder = temp.resolve("cache/graphs");
        cache = new GraphCache(folder, ROOM);
    }

    /// Sums of x and -w, which is a constant to be folded, and the last one's tanh.
    static byte[] chain(int nodes, float weight) {
        ByteArrayOutputStream graph = new ByteArrayOutputStream();
        byte[] four = ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(weight)
                .array();
        graph.writeBytes(field(5, tensor("w", FLOAT, new long[] {1}, field(4, four))));
        graph.writeBytes(node("Neg", names("w"), names("m")));
        graph.writeBytes(node("Add", names("x", "m"), names("v1")));
        for (int i = 1; i < nodes - 2; i++) {
            graph.writeBytes(node("Add", names("v" + i, i % 3 == 0 ? "x" : "m"), names("v" + (i + 1))));
        }
        graph.writeBytes(node("Tanh", names("v" + (nodes - 2)), names("y")));
        return model(17, graph.toByteArray(), input("x", FLOAT, -1, 4), output("y", FLOAT, -1, 4));
    }

    private static float[] answer(OnnxSession session) {
        try (session;
                TensorRunner runner = session.tensorRunner();
                Tensor x = new Tensor(MemoryTag.CALL, dev.millrace.memory.DataType.FP32).reshape(1, 4);
                Tensor y = new Tensor(MemoryTag.CALL, dev.millrace.memory.DataType.FP32)) {
            x.putFloats(new float[] {0.5f, 0.75f, 1, 1.25f});
            runner.run(new Tensor[] {x}, new Tensor[] {y});
            float[] values = new float[4];
            y.getFloats(0, values, 0, 4);
            return values;
        }
    }

    private Path write(byte[] model) throws IOException {
        return Files.write(temp.resolve("model.onnx"), model);
    }

    private float[] open(Path file, SessionSettings settings) throws IOException {
        return answer(cache.open(file, ModelDigest.of(file), settings));
    }

    private float[] open(Path file) throws IOException {
        return open(file, SessionSettings.DEFAULT);
    }

    private List<Path> files(String ending) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(ending))
                    .sorted()
                    .toList();
        }
    }

    private void assertCounts(long builds, long hits) {
        assertThat(cache.builds()).as("builds").isEqualTo(builds);
        assertThat(cache.hits()).as("hits").isEqualTo(hits);
    }

    @Test
    void shouldOpenTheGraphThatItKept() throws IOException {
        Path file = write(chain(120, 0.5f));
        float[] expected = answer(OnnxSession.open(file, SessionSettings.DEFAULT));
        assertThat(open(file)).isEqualTo(expected);
        assertCounts(1, 0);
        assertThat(open(file)).isEqualTo(expected);
        assertThat(open(Files.move(file, temp.resolve("elsewhere.onnx")))).isEqualTo(expected);
        cache = new GraphCache(folder, ROOM);
        assertThat(open(temp.resolve("elsewhere.onnx"))).isEqualTo(expected);
        assertCounts(0, 1);
        assertThat(files("")).hasSize(2);
    }

    @Test
    void shouldKeepModelsAndOptionsApart() throws IOException {
        Path file = write(chain(120, 0.5f));
        float[] first = open(file);
        open(file, SessionSettings.DEFAULT.withOptimization(SessionSettings.Optimization.BASIC));
        SessionSettings threads = new SessionSettings(
                2, 0, SessionSettings.Optimization.ALL, SessionSettings.Arena.NONE, false, Map.of());
        SessionSettings entries = new SessionSettings(
                1,
                0,
                SessionSettings.Optimization.ALL,
                SessionSettings.Arena.KEEPS,
                true,
                Map.of("session.disable_quant_qdq", "1"));
        assertCounts(2, 0);
        open(file, threads);
        assertCounts(2, 1);
        open(file, entries);
        assertCounts(3, 1);
        assertThat(open(write(chain(120, 0.75f)))).isNotEqualTo(first);
        assertCounts(4, 1);
    }

    @Test
    void shouldNotKeepWhatWouldNotHelp() throws IOException {
        open(write(chain(GraphCache.MIN_NODES - 1, 1)));
        open(write(chain(200, 1)), SessionSettings.DEFAULT.withOptimization(SessionSettings.Optimization.NONE));
        assertThat(folder).doesNotExist();
        open(write(chain(GraphCache.MIN_NODES, 1)));
        assertCounts(1, 0);
    }

    @Test
    void shouldMakeAnewWhatIsNotWhatItWas() throws IOException {
        Path file = write(chain(120, 0.5f));
        float[] expected = open(file);
        Path graph = files(".onnx").getFirst();
        Path sum = files(".sum").getFirst();
        byte[] good = Files.readAllBytes(graph);
        byte[] other = chain(120, 9);
        SplittableRandom random = new SplittableRandom(8);
        byte[] flipped = good.clone();
        flipped[random.nextInt(good.length)] ^= 4;
        byte[][] bad = {new byte[0], java.util.Arrays.copyOf(good, good.length / 2), flipped, other};
        for (int i = 0; i < bad.length; i++) {
            Files.write(graph, bad[i]);
            assertThat(open(file)).as("case %d", i).isEqualTo(expected);
            assertCounts(2 + i, 0);
            assertThat(graph).as("case %d", i).hasBinaryContent(good);
        }
        Files.delete(graph);
        assertThat(open(file)).isEqualTo(expected);
        Files.writeString(sum, "something else");
        assertThat(open(file)).isEqualTo(expected);
        Files.delete(sum);
        assertThat(open(file)).isEqualTo(expected);
        assertCounts(8, 0);
        assertThat(open(file)).isEqualTo(expected);
        assertCounts(8, 1);
    }

    /// An entry of another key under this one's name has the right checksum, and is refused all the same.
    @Test
    void shouldNotTakeAnothersEntry() throws IOException {
        Path file = write(chain(120, 0.5f));
        float[] expected = open(file);
        Path graph = files(".onnx").getFirst();
        Path sum = files(".sum").getFirst();
        open(write(chain(120, 0.75f)));
        for (String ending : List.of(".onnx", ".sum")) {
            Path mine = ending.equals(".onnx") ? graph : sum;
            Path others = files(ending).stream()
                    .filter(path -> !path.equals(mine))
                    .findFirst()
                    .orElseThrow();
            Files.write(mine, Files.readAllBytes(others));
        }
        assertThat(open(write(chain(120, 0.5f)))).isEqualTo(expected);
        assertCounts(3, 0);
    }

    @Test
    void shouldLoadAllTheSameWhenTheFolderCannotBeWritten() throws IOException {
        Files.writeString(temp.resolve("cache"), "a file where the folder would be");
        Path file = write(chain(120, 0.5f));
        float[] expected = answer(OnnxSession.open(file, SessionSettings.DEFAULT));
        assertThat(open(file)).isEqualTo(expected);
        assertThat(open(file)).isEqualTo(expected);
        assertCounts(0, 0);
    }

    @Test
    void shouldFailAsWithoutACache() throws IOException {
        Path file = write(model(
                17,
                Proto.join(java.util.stream.IntStream.range(0, 200)
                        .mapToObj(i -> node("Frobnicate", names("x"), names("y" + i)))
                        .toArray(byte[][]::new)),
                input("x", FLOAT, -1, 4),
                output("y1", FLOAT, -1, 4)));
        assertThatThrownBy(() -> open(file))
                .isInstanceOf(OrtFailure.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining("No Op registered for Frobnicate");
        assertThat(files("")).isEmpty();
    }

    @Test
    void shouldDeleteWhatWasNotUsedForLongest() throws IOException {
        Path[] models = new Path[3];
        for (int i = 0; i < 3; i++) {
            models[i] = Files.write(temp.resolve("model" + i + ".onnx"), chain(120, i + 1));
        }
        open(models[0]);
        Path first = files(".onnx").getFirst();
        Files.setLastModifiedTime(first, FileTime.fromMillis(1_000));
        open(models[1]);
        for (Path graph : files(".onnx")) {
            if (!graph.equals(first)) {
                Files.setLastModifiedTime(graph, FileTime.fromMillis(2_000));
            }
        }
        // It is used, and not the longest unused any more.
        open(models[0]);
        Path abandoned = Files.createFile(folder.resolve("x.999999999-1.partial"));
        cache = new GraphCache(folder, 2 * Files.size(first) + 100);
        open(models[2]);
        assertThat(files(".onnx")).hasSize(2).contains(first);
        assertThat(files(".sum")).hasSize(2);
        assertThat(abandoned).doesNotExist();
        open(models[0]);
        assertCounts(1, 1);
        cache = new GraphCache(folder, 100);
        open(models[1]);
        assertCounts(0, 0);
    }
}
