// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.store;

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
class StoreReadsTest {
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    @Test
    void shouldMeasureReads() throws IOException {
        Section section = new StoreReads(2_000, 1, 20, SILENCE).measure();

        assertThat(section.markdown())
                .contains("2,000 entities of ten doubles")
                .contains("| `ViewReader.find` of a random entity | while updates come in | ");
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            section.write(json);
            json.writeEndObject();
        }
        assertThat(text.toString()).contains("\"what\":\"STORE\",\"writing\":true");
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }
}
