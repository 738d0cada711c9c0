// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static dev.millrace.version.Proto.external;
import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.model;
import static dev.millrace.version.Proto.names;
import static dev.millrace.version.Proto.node;
import static dev.millrace.version.Proto.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelDigestTest {
    @TempDir
    Path folder;

    private Path write(String name, byte[] bytes) throws IOException {
        Files.createDirectories(folder.resolve(name).getParent());
        return Files.write(folder.resolve(name), bytes);
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void shouldBeTheFilesOwnWhenThereIsNothingElse() throws Exception {
        assertThat(ModelDigest.of(write("model.onnx", Proto.relu()))).isEqualTo(sha256(Proto.relu()));
        // echo -n abc | sha256sum
        assertThat(ModelDigest.of(write("abc", text("abc"))))
                .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assertThat(ModelDigest.of(write("empty", new byte[0]))).isEqualTo(sha256(new byte[0]));
    }

    @Test
    void shouldBeOfAllFilesInOrderWhenTensorsLieBeside() throws Exception {
        byte[] external = model(
                17,
                field(5, tensor("b", 1, new long[] {2}, external("z.bin", 0, 8))),
                field(5, tensor("a", 1, new long[] {2}, external("data/a.bin", 0, 8))),
                field(5, tensor("c", 1, new long[] {2}, external("z.bin", 8, 8))));
        Path file = write("m.onnx", external);
        write("z.bin", text("zzzz"));
        write("data/a.bin", text("aaaa"));

        String lines = sha256(external) + "  m.onnx\n" + sha256(text("aaaa")) + "  data/a.bin\n" + sha256(text("zzzz"))
                + "  z.bin\n";
        assertThat(ModelDigest.of(file)).isEqualTo(sha256(text(lines)));
    }

    @Test
    void shouldChangeWhenAnyByteDoes() throws Exception {
        Path file = write("model.onnx", Proto.addOf("w"));
        byte[] weights = new byte[200_000];
        write("w", weights);
        String before = ModelDigest.of(file);
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 20; i++) {
            byte[] changed = weights.clone();
            changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
            write("w", changed);
            assertThat(ModelDigest.of(file)).as("case %d", i).isNotEqualTo(before);
        }
    }

    @Test
    void shouldFindTensorsWhereverTheyAre() throws IOException {
        byte[] tensor = tensor("t", 1, new long[] {2}, external("w", 0, 8));
        byte[] constant = node("Constant", names(), names("c"), field(5, field(1, "value"), field(5, tensor)));
        byte[] list = node("Other", names(), names("c"), field(5, field(1, "values"), field(10, tensor)));
        byte[] branch = node("If", names("x"), names("c"), field(5, field(1, "then_branch"), field(6, constant)));
        byte[] sparse = field(15, field(1, tensor));
        for (byte[] part : new byte[][] {constant, list, branch, sparse}) {
            assertThat(ExternalData.of(write("model.onnx", model(17, part)))).containsExactly("w");
        }
        byte[] function = field(25, field(7, field(5, field(1, "value"), field(5, tensor))));
        assertThat(ExternalData.of(write("model.onnx", function))).containsExactly("w");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../w", "/etc/hostname", "a/../../w", "", ".", "a\u0000b"})
    void shouldRefuseFilesElsewhere(String location) throws IOException {
        Path file = write("1/model.onnx", Proto.addOf(location));
        write("w", new byte[8]);

        assertThatThrownBy(() -> ModelDigest.of(file))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("model.onnx has tensors in '" + location + "', expected ");
    }

    @Test
    void shouldNameTheFileThatIsMissing() throws IOException {
        Path file = write("model.onnx", Proto.addOf("weights.bin"));

        assertThatThrownBy(() -> ModelDigest.of(file))
                .isInstanceOf(IOException.class)
                .hasMessage("model.onnx has tensors in 'weights.bin', expected that file beside it, came none");
        assertThatThrownBy(() -> ModelDigest.of(folder.resolve("nothing"))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> ModelDigest.of(folder)).isInstanceOf(IOException.class);
    }

    @Test
    void shouldNotFailWhenTheFileIsNoModel() throws Exception {
        SplittableRandom random = new SplittableRandom(6);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = model(17, field(5, tensor("a", 1, new long[] {2}, Proto.int64s(1, 2))));
            for (int flips = random.nextInt(8); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            assertThat(ModelDigest.of(write("model.onnx", bytes)))
                    .as("case %d", i)
                    .isEqualTo(sha256(bytes));
        }
    }
}
