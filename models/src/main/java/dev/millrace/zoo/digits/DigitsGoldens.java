// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// Writes requests in the Open Inference Protocol's form and the answers that a network gives; single-threaded.
///
/// The answers are double arithmetic over the file's float constants, not the output of the engine under test.
final class DigitsGoldens {
    private static final double ATOL = 1e-5;
    private static final double RTOL = 1e-4;

    private final JsonFactory json = new JsonFactory();
    private final Classifier classifier;
    private final Path folder;

    DigitsGoldens(Classifier classifier, Path folder) {
        this.classifier = classifier;
        this.folder = folder;
    }

    /// Replaces the folder's goldens by ones made of these pictures.
    void write(Digits test) throws IOException {
        Files.createDirectories(folder);
        for (int digit = 0; digit < Digits.CLASSES; digit++) {
            int at = test.labels().indexOf(digit);
            write(
                    "digit" + digit,
                    "a handwritten " + digit,
                    List.of(test.pixels().get(at)));
        }
        write("rows7", "the first 7 test pictures", test.pixels().subList(0, 7));
        write("rows64", "the first 64 test pictures", test.pixels().subList(0, 64));
        int[] blank = new int[Digits.PIXELS];
        int[] full = blank.clone();
        Arrays.fill(full, Digits.INK);
        int[] beyond = IntStream.range(0, Digits.PIXELS)
                .map(i -> i % 2 == 0 ? -1000 : 1000)
                .toArray();
        write("blank", "no ink", List.of(blank));
        write("extremes", "no ink, nothing but ink, and values that no picture has", List.of(blank, full, beyond));
    }

    private void write(String name, String note, List<int[]> rows) throws IOException {
        try (JsonGenerator out = open(name + ".request.json")) {
            out.writeStartObject();
            out.writeArrayFieldStart("inputs");
            tensor(out, "x", rows, new int[] {1, Digits.SIDE, Digits.SIDE}, DigitsGoldens::pixels);
            out.writeEndArray();
            out.writeEndObject();
        }
        try (JsonGenerator out = open(name + ".expected.json")) {
            out.writeStartObject();
            out.writeStringField("model", "digits");
            out.writeStringField("note", note);
            out.writeNumberField("atol", ATOL);
            out.writeNumberField("rtol", RTOL);
            out.writeArrayFieldStart("outputs");
            tensor(out, "probabilities", rows, new int[] {Digits.CLASSES}, classifier::probabilities);
            out.writeEndArray();
            out.writeEndObject();
        }
    }

    private static double[] pixels(int[] row) {
        return Arrays.stream(row).asDoubleStream().toArray();
    }

    private JsonGenerator open(String file) throws IOException {
        return json.createGenerator(Files.newBufferedWriter(folder.resolve(file)));
    }

    /// What a row is in a tensor.
    private interface Elements {
        double[] of(int[] row);
    }

    private static void tensor(JsonGenerator out, String name, List<int[]> rows, int[] dims, Elements elements)
            throws IOException {
        out.writeStartObject();
        out.writeStringField("name", name);
        out.writeArrayFieldStart("shape");
        out.writeNumber(rows.size());
        for (int dim : dims) {
            out.writeNumber(dim);
        }
        out.writeEndArray();
        out.writeStringField("datatype", "FP32");
        out.writeArrayFieldStart("data");
        for (int[] row : rows) {
            for (double element : elements.of(row)) {
                out.writeNumber(element);
            }
        }
        out.writeEndArray();
        out.writeEndObject();
    }
}
