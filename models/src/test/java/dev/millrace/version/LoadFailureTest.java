// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static dev.millrace.version.Proto.FLOAT;
import static dev.millrace.version.Proto.addOf;
import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.input;
import static dev.millrace.version.Proto.join;
import static dev.millrace.version.Proto.model;
import static dev.millrace.version.Proto.names;
import static dev.millrace.version.Proto.node;
import static dev.millrace.version.Proto.output;
import static dev.millrace.version.Proto.relu;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.millrace.memory.NativeMemory;
import dev.millrace.model.OnnxModel;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is told of files that cannot be loaded.
class LoadFailureTest {
    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("model.onnx");
    }

    private void assertFails(byte[] content, String message) throws IOException {
        Files.write(file, content);
        long used = NativeMemory.used();
        assertThat(catchThrowable(() -> OnnxModel.load(file, SessionSettings.DEFAULT)))
                .isInstanceOf(OrtFailure.class)
                .hasMessage(file + ": " + message);
        assertThat(NativeMemory.used()).isEqualTo(used);
    }

    private void assertFails(String content, String message) throws IOException {
        assertFails(content.getBytes(StandardCharsets.UTF_8), message);
    }

    @Test
    void shouldSayThatThereIsNoFile() {
        assertThat(catchThrowable(() -> OnnxModel.load(file, SessionSettings.DEFAULT)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("there is no file " + file);
        assertThat(catchThrowable(() -> OnnxModel.load(folder, SessionSettings.DEFAULT)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage(folder + " is a folder, expected a model file");
    }

    @Test
    void shouldSayWhatAFileIsThatIsNoModel() throws IOException {
        assertFails("", "the file is empty: ModelProto does not have a graph.");
        assertFails(
                "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
                "the file is a pointer of Git LFS, expected the model itself (git lfs pull): Protobuf parsing failed.");
        String parsing = ": Protobuf parsing failed.";
        assertFails(" \n<!DOCTYPE html><html></html>", "the file is a page of HTML or XML, expected a model" + parsing);
        assertFails("{\"error\":\"no such file\"}", "the file is JSON, expected a model" + parsing);
        assertFails("PK\u0003\u0004archive", "the file is an archive, expected the model itself" + parsing);
        byte[] random = new byte[1000];
        new SplittableRandom(1).nextBytes(random);
        assertFails(random, "the file is no ONNX model" + parsing);
    }

    @Test
    void shouldSayWhereAModelIsCutOff() throws IOException {
        byte[] whole = Files.readAllBytes(Path.of("zoo/fraud/1/model.onnx"));
        Files.write(file, Arrays.copyOf(whole, whole.length / 2));
        assertThat(catchThrowable(() -> OnnxModel.load(file, SessionSettings.DEFAULT)))
                .hasMessageMatching("\\Q" + file + "\\E: the file is cut off: it ends at byte " + whole.length / 2
                        + ", expected its graph to end at [0-9]+: Protobuf parsing failed\\.");
        assertFails(
                field(1, 9), "the file begins as a model but is cut off or damaged: ModelProto does not have a graph.");
    }

    /// Wherever it is cut off: that is told, or what ONNX Runtime says.
    @Test
    void shouldFailWhereverAModelIsCutOff() throws IOException {
        byte[] whole = relu();
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThat(catchThrowable(() -> OnnxModel.load(file, SessionSettings.DEFAULT)))
                    .as("%d of %d bytes", length, whole.length)
                    .isInstanceOf(OrtFailure.class)
                    .message()
                    .startsWith(file + ": ")
                    .doesNotContain("/onnxruntime_src/");
        }
    }

    @Test
    void shouldNameTheOperatorThatThereIsNot() throws IOException {
        assertFails(
                model(
                        17,
                        node("Frobnicate", names("x"), names("y")),
                        input("x", FLOAT, -1, 4),
                        output("y", FLOAT, -1, 4)),
                "This is an invalid model. In Node, (\"\", Frobnicate, \"\", -1) : (\"x\": tensor(float),) -> (\"y\":"
                        + " tensor(float),) , Error No Op registered for Frobnicate with domain_version of 17");
    }

    @Test
    void shouldNameTheVersionsThatAreTooNew() throws IOException {
        byte[] opset =
                model(99, node("Relu", names("x"), names("y")), input("x", FLOAT, -1, 4), output("y", FLOAT, -1, 4));
        Files.write(file, opset);
        assertThat(catchThrowable(() -> OnnxModel.load(file, SessionSettings.DEFAULT)))
                .message()
                .startsWith(file + ": ONNX Runtime only *guarantees* support")
                .contains(
                        "Opset 99 is under development",
                        "Current official support for domain ai.onnx is till opset 26");
        byte[] ir = relu();
        ir[1] = 99;
        assertFails(ir, "Unsupported model IR version: 99, max supported IR version: 13");
    }

    @Test
    void shouldNameTheExternalDataThatIsMissing() throws IOException {
        Files.write(file, addOf("weights.bin"));
        assertThat(catchThrowable(() -> OnnxModel.load(file, SessionSettings.DEFAULT)))
                .message()
                .contains("External data path does not exist: \"" + folder.resolve("weights.bin") + "\"");
        Files.write(folder.resolve("weights.bin"), new byte[4]);
        assertThat(catchThrowable(() -> OnnxModel.load(file, SessionSettings.DEFAULT)))
                .message()
                .contains("External initializer: w offset: 0 size to read: 8 given file_length: 4 are out of bounds");
        Files.write(folder.resolve("weights.bin"), new byte[8]);
        OnnxModel.load(file, SessionSettings.DEFAULT).close();
        Files.write(file, addOf("../weights.bin"));
        assertThat(catchThrowable(() -> OnnxModel.load(file, SessionSettings.DEFAULT)))
                .message()
                .contains("External data path escapes model directory", "../weights.bin");
    }

    @Test
    void shouldNotBeMistakenAboutDamagedModels() throws IOException {
        SplittableRandom random = new SplittableRandom(3);
        byte[] whole = join(field(2, "producer"), relu());
        for (int i = 0; i < 500; i++) {
            byte[] bytes = whole.clone();
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            Files.write(file, bytes);
            Throwable failure = catchThrowable(
                    () -> OnnxModel.load(file, SessionSettings.DEFAULT).close());
            if (failure != null) {
                assertThat(failure).as("case %d", i).isInstanceOf(OrtFailure.class);
                assertThat(failure.getMessage()).as("case %d", i).isNotBlank();
            }
        }
    }
}
