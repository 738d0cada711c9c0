// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import static dev.millrace.version.Proto.FLOAT;
import static dev.millrace.version.Proto.INT64;
import static dev.millrace.version.Proto.attribute;
import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.input;
import static dev.millrace.version.Proto.join;
import static dev.millrace.version.Proto.model;
import static dev.millrace.version.Proto.names;
import static dev.millrace.version.Proto.node;
import static dev.millrace.version.Proto.tensor;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.millrace.onnx.InvalidModelException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Small files of which much would be told: a report costs no more of the heap than its file may.
class AllowanceTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long FREE_BYTES = 128L << 20;
    private static final long MORE_BYTES = 64L << 20;

    @TempDir
    Path temp;

    private interface Graph {
        void write(ByteArrayOutputStream fields);
    }

    private Path file(String name, Graph graph) throws IOException {
        ByteArrayOutputStream fields = new ByteArrayOutputStream();
        graph.write(fields);
        return Files.write(temp.resolve(name), model(12, fields.toByteArray()));
    }

    private static String name(int i) {
        return Integer.toString(i, Character.MAX_RADIX);
    }

    private static byte[] numbers(String name, long... values) {
        byte[] raw = new byte[Long.BYTES * values.length];
        ByteBuffer.wrap(raw).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(values);
        long[] dims = values.length == 1 ? new long[0] : new long[] {values.length};
        return field(5, tensor(name, INT64, dims, field(9, raw)));
    }

    /// Each makes 1,024 numbers of 20 bytes.
    private static void adds(ByteArrayOutputStream fields) {
        fields.writeBytes(numbers("c", LongStream.range(0, 1024).toArray()));
        for (int i = 0; i < 40_000; i++) {
            fields.writeBytes(node("Add", names("c", "c"), names("_" + i)));
        }
    }

    private static void ranges(ByteArrayOutputStream fields) {
        fields.writeBytes(join(numbers("from", 0), numbers("to", 1024), numbers("by", 1)));
        for (int i = 0; i < 40_000; i++) {
            fields.writeBytes(node("Range", names("from", "to", "by"), names("_" + i)));
        }
    }

    /// Each part has a shape of 64 dimensions.
    private static void splits(ByteArrayOutputStream fields) {
        long[] dims = new long[64];
        Arrays.fill(dims, 1);
        String[] parts = new String[300_000];
        Arrays.setAll(parts, AllowanceTest::name);
        fields.writeBytes(join(input("_", FLOAT, dims), node("Split", names("_"), parts)));
    }

    /// A long name is told again with each dimension that is open.
    private static void places(ByteArrayOutputStream fields) {
        long[] dims = new long[10_000];
        Arrays.fill(dims, -1);
        fields.writeBytes(input("long".repeat(10_000), FLOAT, dims));
    }

    private static void operators(ByteArrayOutputStream fields) {
        for (int i = 0; i < 300_000; i++) {
            fields.writeBytes(node(name(i), names(), names()));
        }
    }

    /// In a process of its own, whose heap has room for what a file may cost, and for what is thrown away at once.
    @Test
    void shouldRefuseFilesOfWhichMoreWouldBeKeptThanTheyMayCost() throws Exception {
        List<Graph> graphs = List.of(
                AllowanceTest::adds,
                AllowanceTest::ranges,
                AllowanceTest::splits,
                AllowanceTest::places,
                AllowanceTest::operators);
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + (FREE_BYTES + MORE_BYTES),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Reports.class.getName()));
        for (int i = 0; i < graphs.size(); i++) {
            Path file = file(i + ".onnx", graphs.get(i));
            assertThat(Files.size(file)).isLessThan(8 << 20);
            command.add(file.toString());
        }

        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said.lines())
                .hasSameSizeAs(graphs)
                .allMatch(line -> line.startsWith("the file has too many parts for its size"));
    }

    /// Tries to make reports of files and says why it cannot.
    static final class Reports {
        private Reports() {}

        public static void main(String[] files) throws IOException {
            for (String file : files) {
                try {
                    System.out.println("a report: "
                            + ModelReport.of(Path.of(file)).operations().count());
                } catch (InvalidModelException e) {
                    System.out.println(e.getMessage());
                }
            }
        }
    }

    @Test
    void shouldCountManyTreesWithoutAMapOfThem() throws IOException {
        int trees = 1_000_000;
        // Three nodes each, in no order.
        long[] ids = LongStream.range(0, 3L * trees).map(i -> i * 7919 % trees).toArray();
        Path file = file(
                "trees.onnx",
                fields -> fields.writeBytes(join(
                        input("x", FLOAT, -1, 4),
                        node(
                                "TreeEnsembleRegressor",
                                names("x"),
                                names("y"),
                                attribute("nodes_treeids", ids),
                                field(7, "ai.onnx.ml")))));

        long before = THREADS.getCurrentThreadAllocatedBytes();
        ModelReport report = ModelReport.of(file);
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;

        assertThat(report.operations().count()).isEqualTo(trees);
        assertThat(allocated).isLessThan(Files.size(file) + FREE_BYTES / 2);
    }
}
