// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DecodingTest {
    @ParameterizedTest
    @EnumSource(Reader.Kind.class)
    void shouldReadAllNumbersToTheBit(Reader.Kind kind) {
        for (Document document : Document.values()) {
            assertThatCode(() -> kind.open(document).check(document.texts())).doesNotThrowAnyException();
        }
    }

    @ParameterizedTest
    @EnumSource(Reader.Kind.class)
    void shouldRefuseAReaderThatReadsAnotherNumber(Reader.Kind kind) {
        Document.Text text = Document.REQUEST.texts().getFirst();
        text.values()[63] = Math.nextUp(text.values()[63]);

        assertThatThrownBy(() -> kind.open(Document.REQUEST).check(List.of(text)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("as number 63 of a request");
    }

    @Test
    void shouldRunTheBench() {
        DecodeBench bench = new DecodeBench();
        bench.reader = "OWN";
        bench.document = Document.REQUEST;
        bench.open();

        assertThat(bench.read()).isEqualTo(Document.REQUEST.texts().get(1).values()[63]);
    }

    @Test
    void shouldReport() throws IOException {
        var subject = new Decoding.Subject(Document.PICTURE, Reader.Kind.JACKSON);
        var decoding = new Decoding(
                Map.of(subject, List.of(new Decoding.Trial(1_505_280, 700), new Decoding.Trial(3_010_560, 700))));

        assertThat(decoding.markdown()).contains("| " + Reader.Kind.JACKSON.title() + " | 15.00 (10.00–20.00) | ");
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            decoding.write(json);
            json.writeEndObject();
        }
        assertThat(text.toString()).contains("\"reader\":\"JACKSON\",\"numbers\":150528", "\"nanos\":3010560.0");
    }
}
