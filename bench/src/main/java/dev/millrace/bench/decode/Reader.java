// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.decode;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.millrace.json.JsonReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.simdjson.SimdJsonParser;

/// Reads the numbers of a text, which is of one [Document].
///
/// Threads: one.
abstract class Reader {
    /// Who reads.
    enum Kind {
        /// As the server does: many numbers in one call.
        OWN("own cursor, many numbers at once (`readFloats`)"),
        /// What the server does where a number is out of the ordinary.
        OWN_SINGLE("own cursor, number by number (`real32`)"),
        JACKSON("Jackson, streaming, with its fast parser of numbers"),
        /// Wants the module `jdk.incubator.vector`.
        SIMDJSON("simdjson-java, into a record");

        private final String title;

        Kind(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }

        Reader open(Document document) {
            return switch (this) {
                case OWN -> new Own(document, true);
                case OWN_SINGLE -> new Own(document, false);
                case JACKSON -> new Jackson(document);
                case SIMDJSON -> new Simd(document);
            };
        }
    }

    private final Document document;

    Reader(Document document) {
        this.document = document;
    }

    /// Reads a text and returns something that depends on what was read.
    abstract float read(Document.Text text);

    /// A number that was read last.
    abstract float value(int index);

    /// Compares what is read from every text to the bit.
    ///
    /// @throws IllegalStateException if a value differs
    final void check(List<Document.Text> texts) {
        for (Document.Text text : texts) {
            read(text);
            for (int i = 0; i < document.width(); i++) {
                if (Float.floatToRawIntBits(value(i)) != Float.floatToRawIntBits(text.values()[i])) {
                    throw new IllegalStateException(String.format(
                            Locale.ROOT,
                            "%s reads %s as number %d of %s, which is %s",
                            getClass().getSimpleName(),
                            value(i),
                            i,
                            document.title(),
                            text.values()[i]));
                }
            }
        }
    }

    private static final class Own extends Reader {
        private static final byte[] INPUTS = "inputs".getBytes(StandardCharsets.UTF_8);
        private static final byte[] DATA = "data".getBytes(StandardCharsets.UTF_8);

        private final JsonReader json = new JsonReader();
        private final float[] values;
        private final MemorySegment target;
        private final boolean flat;
        private final boolean many;

        Own(Document document, boolean many) {
            super(document);
            this.values = new float[document.width()];
            this.target = MemorySegment.ofArray(values);
            this.flat = document.isFlat();
            this.many = many;
        }

        @Override
        float read(Document.Text text) {
            json.reset(text.bytes(), 0, text.length());
            if (flat) {
                readData();
            } else {
                readRequest();
            }
            if (json.token() != JsonReader.Token.END) {
                throw new IllegalStateException("there is more than was read");
            }
            return values[values.length - 1];
        }

        private void readRequest() {
            json.enterObject();
            while (json.nextMember()) {
                if (json.isKey(INPUTS)) {
                    json.enterArray();
                    while (json.nextElement()) {
                        readInput();
                    }
                } else {
                    json.skip();
                }
            }
        }

        private void readInput() {
            json.enterObject();
            while (json.nextMember()) {
                if (json.isKey(DATA)) {
                    readData();
                } else {
                    json.skip();
                }
            }
        }

        private void readData() {
            json.enterArray();
            int index = 0;
            while (json.nextElement()) {
                int count = many ? json.readFloats(target, index, values.length) : 0;
                index += count;
                if (count == 0) {
                    json.token();
                    json.readNumber();
                    values[index++] = json.real32();
                }
            }
        }

        @Override
        float value(int index) {
            return values[index];
        }
    }

    private static final class Jackson extends Reader {
        private final JsonFactory factory = JsonFactory.builder()
                .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
                .build();
        private final float[] values;
        private final boolean flat;

        Jackson(Document document) {
            super(document);
            this.values = new float[document.width()];
            this.flat = document.isFlat();
        }

        @Override
        float read(Document.Text text) {
            try (JsonParser json = factory.createParser(text.bytes(), 0, text.length())) {
                for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
                    if (flat
                            || (token == JsonToken.FIELD_NAME
                                    && json.currentName().equals("data"))) {
                        readData(json);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return values[values.length - 1];
        }

        private void readData(JsonParser json) throws IOException {
            if (!flat) {
                json.nextToken();
            }
            int index = 0;
            while (json.nextToken() != JsonToken.END_ARRAY) {
                values[index++] = json.getFloatValue();
            }
        }

        @Override
        float value(int index) {
            return values[index];
        }
    }

    /// A request, as far as it is read.
    public record Request(List<Input> inputs) {}

    /// One of its inputs.
    public record Input(float[] data) {}

    private static final class Simd extends Reader {
        private final SimdJsonParser parser = new SimdJsonParser();
        private final boolean flat;
        private float[] values = {};

        Simd(Document document) {
            super(document);
            this.flat = document.isFlat();
        }

        @Override
        float read(Document.Text text) {
            values = flat
                    ? parser.parse(text.bytes(), text.length(), float[].class)
                    : parser.parse(text.bytes(), text.length(), Request.class)
                            .inputs()
                            .getFirst()
                            .data();
            return values[values.length - 1];
        }

        @Override
        float value(int index) {
            return values[index];
        }
    }
}
