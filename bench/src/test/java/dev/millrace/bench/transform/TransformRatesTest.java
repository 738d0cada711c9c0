// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.transform;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.spec.FeatureSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// It runs for a moment, so that it cannot rot. What it measures here says nothing.
class TransformRatesTest {
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    @Test
    void shouldMeasureTheCommand() throws IOException {
        Section section = new TransformRates(2_000, 1, ServerProcess.millrace(), SILENCE).measure();

        assertThat(section.markdown()).contains("2,000 rows").contains("| parquet to parquet | joined | ");
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            section.write(json);
            json.writeEndObject();
        }
        assertThat(text.toString()).contains("\"format\":\"csv\",\"joined\":true");
    }

    @Test
    void shouldHaveSpecificationsOfAsManyColumns() {
        for (boolean hasView : new boolean[] {false, true}) {
            FeatureSpec spec =
                    FeatureSpec.parse(TransformSpecification.of(TransformData.rowColumns(), hasView), Path.of(""));
            assertThat(spec.columns()).hasSize(38);
        }
    }
}
