// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import static dev.millrace.version.Proto.FLOAT;
import static dev.millrace.version.Proto.INT64;
import static dev.millrace.version.Proto.external;
import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.input;
import static dev.millrace.version.Proto.join;
import static dev.millrace.version.Proto.model;
import static dev.millrace.version.Proto.names;
import static dev.millrace.version.Proto.node;
import static dev.millrace.version.Proto.output;
import static dev.millrace.version.Proto.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Models that contradict themselves, or mean harm.
class SoundnessTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    Path temp;

    private Path folder;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createDirectories(temp.resolve("models"));
    }

    private void check(byte[] model) throws IOException {
        try (OnnxFile file = OnnxFile.open(Files.write(folder.resolve("model.onnx"), model))) {
            file.check();
        }
    }

    private void refuse(String message, byte[] model) {
        assertThatThrownBy(() -> check(model))
                .isInstanceOf(InvalidModelException.class)
                .hasMessageContaining(message);
    }

    /// y = x + w.
    private static byte[] adds(byte[] weights) {
        return model(
                17,
                node("Add", names("x", "w"), names("y")),
                field(5, weights),
                input("x", FLOAT, -1, 2),
                output("y", FLOAT, -1, 2));
    }

    private static byte[] raw(int bytes) {
        return field(9, new byte[bytes]);
    }

    @Test
    void shouldTakeASoundModel() throws IOException {
        check(adds(tensor("w", FLOAT, new long[] {2}, raw(8))));
    }

    @Test
    void shouldRefuseTensorsWithOtherDataThanTheirShapesWant() {
        refuse(
                "tensor 'w' has 8 bytes of raw data, expected 4000000000000000 for 1000000000000000 of FLOAT",
                adds(tensor("w", FLOAT, new long[] {1_000_000, 1_000_000_000}, raw(8))));
        refuse(
                "tensor 'w' has dimensions that multiply to more than can be counted",
                adds(tensor("w", FLOAT, new long[] {1L << 40, 1L << 40}, raw(8))));
        refuse("tensor 'w' has a dimension of -2", adds(tensor("w", FLOAT, new long[] {-2}, raw(8))));
        refuse("elements of type 99", adds(tensor("w", 99, new long[] {2}, raw(8))));
        refuse(
                "tensor 'w' has 1 values, expected 2 for 2 of INT64",
                adds(tensor("w", INT64, new long[] {2}, field(7, 5))));
        refuse("tensor 'w' has 0 values, expected 4611686018427387904", adds(tensor("w", 2, new long[] {1L << 62})));
        refuse("tensor 'w' has more elements than any memory has room for", adds(tensor("w", FLOAT, new long[] {1L << 62
        })));
    }

    /// Both in the middle of a file and as its very last byte.
    @Test
    void shouldRefuseNumbersWithoutAnEnd() {
        byte[] endless = new byte[10];
        Arrays.fill(endless, (byte) 0xFF);
        byte[] dims = join(field(1, endless), field(2, FLOAT), field(8, "w"));
        byte[] last = tensor("w", INT64, new long[] {2}, field(7, new byte[] {1, (byte) 0x80}));

        refuse("a value of field 1 of a message does not fit it", adds(dims));
        refuse(
                "a value of field 7 of a message does not fit it",
                join(field(1, 9), field(7, field(2, "graph"), field(5, last))));
    }

    @Test
    void shouldRefuseTensorsInFilesElsewhere() throws IOException {
        Files.write(temp.resolve("secret"), new byte[100]);
        Files.write(folder.resolve("weights"), new byte[8]);
        Files.createSymbolicLink(folder.resolve("link"), temp.resolve("secret"));

        check(adds(tensor("w", FLOAT, new long[] {2}, external("weights", 0, 8))));
        for (String location : new String[] {
            "../secret", "a/../../secret", temp.resolve("secret").toString(), "", "."
        }) {
            refuse(
                    "expected a file in the model's folder",
                    adds(tensor("w", FLOAT, new long[] {2}, external(location, 0, 8))));
        }
        refuse("expected the name of a file", adds(tensor("w", FLOAT, new long[] {2}, external("a\0b", 0, 8))));
        refuse("a link out of the model's folder", adds(tensor("w", FLOAT, new long[] {2}, external("link", 0, 8))));
        refuse("came none", adds(tensor("w", FLOAT, new long[] {2}, external("none", 0, 8))));
        refuse(
                "from byte 4 on, 8 bytes, but that file ends at byte 8",
                adds(tensor("w", FLOAT, new long[] {2}, external("weights", 4, 8))));
        refuse(
                "but that file ends at byte 8",
                adds(tensor("w", FLOAT, new long[] {2}, external("weights", Long.MAX_VALUE, 8))));
        refuse("with offset '-8'", adds(tensor("w", FLOAT, new long[] {2}, external("weights", -8, 8))));
        refuse(
                "1099511627776 bytes of it, expected 8 for its shape",
                adds(tensor("w", FLOAT, new long[] {2}, external("weights", 0, 1L << 40))));
    }

    @Test
    void shouldRefuseGraphsThatGoRound() throws IOException {
        refuse(
                "the graph has a cycle: Add that makes [a] needs what is made of its own outputs",
                model(
                        17,
                        node("Add", names("x", "b"), names("a")),
                        node("Relu", names("a"), names("b")),
                        input("x", FLOAT, -1),
                        output("b", FLOAT, -1)));
        check(model(
                17,
                node("Relu", names("a"), names("b")),
                node("Relu", names("x"), names("a")),
                input("x", FLOAT, -1),
                output("b", FLOAT, -1)));
    }

    @Test
    void shouldRefuseAGraphThatNeedsTheNodeThatItIsIn() {
        byte[] body = join(node("Relu", names("y"), names("z")), field(2, "body"), output("z", FLOAT, -1));
        byte[] branch = field(5, field(1, "then_branch"), field(6, body), field(20, 5));

        refuse(
                "the graph has a cycle: If that makes [y]",
                model(17, node("If", names("x"), names("y"), branch), input("x", 9), output("y", FLOAT, -1)));
    }

    @Test
    void shouldRefuseNamesThatAreNotThereOrTwice() {
        refuse(
                "value 'w' is used in the model, but nothing makes it",
                model(17, node("Add", names("x", "w"), names("y")), input("x", FLOAT, -1), output("y", FLOAT, -1)));
        refuse(
                "value 'y' is used in the model, but nothing makes it",
                model(17, node("Relu", names("x"), names("z")), input("x", FLOAT, -1), output("y", FLOAT, -1)));
        refuse(
                "two values are called 'y', the second is made by Abs that makes [y]",
                model(
                        17,
                        node("Relu", names("x"), names("y")),
                        node("Abs", names("x"), names("y")),
                        input("x", FLOAT, -1),
                        output("y", FLOAT, -1)));
    }

    @Test
    void shouldRefuseFunctionsThatCallThemselves() {
        byte[] call = join(node("G", names("a"), names("b"), field(7, "own")));
        byte[] back = join(node("F", names("a"), names("b"), field(7, "own")));
        byte[] model = model(
                17, node("F", names("x"), names("y"), field(7, "own")), input("x", FLOAT, -1), output("y", FLOAT, -1));

        refuse("calls itself, at once or by others", join(model, function("F", call), function("G", back)));
        refuse("two functions are called own.G", join(model, function("G", call), function("G", call)));
    }

    /// @param node in a graph's field
    private static byte[] function(String name, byte[] node) {
        byte[] content = Arrays.copyOfRange(node, 2, node.length);
        return field(25, field(1, name), field(4, "a"), field(5, "b"), field(7, content), field(10, "own"));
    }

    @Test
    void shouldEndWhenGraphsAreNestedTooDeep() {
        byte[] graph = field(2, "innermost");
        for (int i = 0; i < 60; i++) {
            byte[] attribute = field(5, field(1, "body"), field(6, graph), field(20, 5));
            graph = join(field(2, "graph"), node("Loop", names(), names("n" + i), attribute));
        }

        refuse("nested deeper than 100", join(field(1, 9), field(7, graph)));
    }

    /// What is claimed costs nothing, and what is there costs no more than the file is long and what is free.
    @ParameterizedTest
    @ValueSource(strings = {"runs", "names", "nodes", "dims"})
    void shouldNotUseMoreOfTheHeapThanTheFileIsLongWhenItIsMadeOfTinyParts(String kind) throws IOException {
        int count = 2_000_000;
        ByteArrayOutputStream graph = new ByteArrayOutputStream(12 * count);
        for (int i = 0; i < count; i++) {
            graph.writeBytes(
                    switch (kind) {
                        // Empty constants and empty nodes in turn: a run each.
                        case "runs" -> new byte[] {i % 2 == 0 ? (byte) 0x2A : 0x0A, 0};
                        case "names" -> field(5, field(8, Integer.toString(i, 36)), field(2, 1), field(1, 0));
                        case "nodes" -> new byte[] {0x0A, 0};
                        default -> new byte[0];
                    });
        }
        byte[] dims = new byte[2 * count];
        for (int i = 0; i < dims.length; i += 2) {
            dims[i] = 8;
            dims[i + 1] = 1;
        }
        if (kind.equals("dims")) {
            graph.writeBytes(field(5, dims));
        }
        Path file = Files.write(folder.resolve("model.onnx"), join(field(1, 9), field(7, graph.toByteArray())));
        graph.reset();

        long before = THREADS.getCurrentThreadAllocatedBytes();
        assertThatThrownBy(() -> {
                    try (OnnxFile model = OnnxFile.open(file)) {
                        model.check();
                    }
                })
                .isInstanceOf(InvalidModelException.class);
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - before;

        assertThat(allocated).isLessThan(Files.size(file) + Source.FREE_BYTES);
    }

    @Test
    void shouldCostLittleWhenSizesAreOnlyClaimed() throws IOException {
        byte[][] models = {
            adds(tensor("w", FLOAT, new long[] {1L << 40}, raw(8))),
            adds(tensor("w", FLOAT, new long[] {1L << 30}, field(4, new byte[0]))),
            adds(tensor("w", FLOAT, new long[] {2}, external("weights", 0, 1L << 50))),
            {0x08, 9, 0x3A, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x7F, 0x0A, 0},
        };
        check(adds(tensor("w", FLOAT, new long[] {2}, raw(8))));
        for (byte[] model : models) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            assertThatThrownBy(() -> check(model)).isInstanceOf(InvalidModelException.class);
            assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(1 << 20);
        }
    }

    /// Nothing but the exception that is documented, whatever is done to a file.
    @Test
    void shouldThrowNothingElseWhenModelsAreDamaged() throws IOException {
        damage(0, 400);
    }

    @Test
    @Tag("slow")
    void shouldThrowNothingElseWhenManyModelsAreDamaged() throws IOException {
        damage(400, 20_000);
    }

    private void damage(int firstSeed, int cases) throws IOException {
        byte[][] models = {
            Files.readAllBytes(TestFiles.file("inspect/everything.onnx")),
            Files.readAllBytes(TestFiles.file("inspect/shapes.onnx")),
        };
        Files.copy(TestFiles.file("inspect/everything.bin"), folder.resolve("everything.bin"));
        int refused = 0;
        for (int seed = firstSeed; seed < firstSeed + cases; seed++) {
            byte[] damaged = damage(models[seed % 5 == 0 ? 1 : 0], new SplittableRandom(seed));
            try {
                check(damaged);
            } catch (InvalidModelException e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotBlank();
                refused++;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(refused).isBetween(cases / 10, cases - cases / 20);
    }

    private static byte[] damage(byte[] model, SplittableRandom random) {
        byte[] damaged = model.clone();
        for (int i = random.nextInt(1, 5); i > 0; i--) {
            int at = random.nextInt(damaged.length);
            switch (random.nextInt(4)) {
                case 0 -> damaged[at] = (byte) random.nextInt();
                case 1 -> damaged[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> damaged = random.nextInt(8) == 0 ? Arrays.copyOf(damaged, at + 1) : damaged;
                default -> {
                    int length = Math.min(random.nextInt(1, 24), damaged.length - at);
                    System.arraycopy(model, random.nextInt(model.length - length + 1), damaged, at, length);
                }
            }
        }
        return damaged;
    }
}
