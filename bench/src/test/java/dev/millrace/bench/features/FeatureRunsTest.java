// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.features;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/// It runs for a moment, so that it cannot rot. What it measures here says nothing.
class FeatureRunsTest {
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    @Test
    void shouldMeasureRows() throws IOException {
        Section section = new FeatureRuns(2_000, 1, 20, SILENCE).measure();

        assertThat(section.markdown())
                .contains("41 columns of a payment")
                .contains("2,000 entities each")
                .contains("| ONNX Runtime, the exported graph, 64 rows: of one | ");
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            section.write(json);
            json.writeEndObject();
        }
        assertThat(text.toString()).contains("\"columns\":41").contains("\"what\":\"STORED\",\"count\":");
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
        assertThat(NativeMemory.used(MemoryTag.CALL)).isZero();
    }
}
