// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.model.OnnxModel;
import dev.millrace.ort.SessionSettings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExternalDataTest {
    /// A field that no message of ONNX has.
    private static final int UNKNOWN = 1000;

    @TempDir
    Path folder;

    private Path write(byte[]... parts) throws IOException {
        return Files.write(folder.resolve("model.onnx"), Proto.join(parts));
    }

    private static byte[] tag(int wire) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Proto.varint(out, ((long) UNKNOWN << 3) | wire);
        return out.toByteArray();
    }

    /// A group with a field of each wire type, and groups in one another.
    private static byte[] group(int depth) {
        byte[] inner = depth == 1 ? new byte[0] : group(depth - 1);
        return Proto.join(
                tag(3),
                Proto.field(1, 300),
                Proto.field(2, "text"),
                inner,
                tag(5),
                new byte[4],
                tag(1),
                new byte[8],
                tag(4));
    }

    @Test
    void shouldNameTheFileOfATensor() throws IOException {
        assertThat(ExternalData.of(write(Proto.addOf("weights.bin")))).containsExactly("weights.bin");
        assertThat(ExternalData.of(write(Proto.relu()))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 90})
    void shouldPassOverGroupsAsOnnxRuntimeDoes(int depth) throws IOException {
        Path model = write(group(depth), Proto.addOf("weights.bin"), group(depth));
        Files.write(folder.resolve("weights.bin"), new byte[8]);

        assertThat(ExternalData.of(model)).containsExactly("weights.bin");
        try (OnnxModel loaded = OnnxModel.load(model, SessionSettings.DEFAULT)) {
            assertThat(loaded.session().inputs()).hasSize(1);
        }
    }

    @Test
    void shouldNameNothingInWhatIsNoModel() throws IOException {
        assertThat(ExternalData.of(write(tag(3), Proto.addOf("weights.bin")))).isEmpty();
        assertThat(ExternalData.of(write(tag(4), Proto.addOf("weights.bin")))).isEmpty();
        assertThat(ExternalData.of(write(group(200), Proto.addOf("weights.bin"))))
                .isEmpty();
    }
}
