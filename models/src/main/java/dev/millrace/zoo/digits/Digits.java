// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/// Pictures of handwritten digits, row by row of pixels from 0 to 16. Immutable by convention: pixels are not copied.
///
/// @param pixels 64 for each
/// @param labels which digit each is
record Digits(List<int[]> pixels, List<Integer> labels) {
    /// The width and the height of a picture.
    static final int SIDE = 8;

    static final int PIXELS = SIDE * SIDE;
    /// The value of a pixel that is all ink.
    static final int INK = 16;

    static final int CLASSES = 10;

    /// Reads a file of one picture a line: 64 pixels and the digit, with commas between.
    static Digits read(Path file) throws IOException {
        Digits all = new Digits(new ArrayList<>(), new ArrayList<>());
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.US_ASCII))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                int[] values = IntStream.of(parse(line)).toArray();
                if (values.length != PIXELS + 1) {
                    throw new IOException(file + " has a line of " + values.length + " values, expected 65: " + line);
                }
                all.pixels.add(IntStream.of(values).limit(PIXELS).toArray());
                all.labels.add(values[PIXELS]);
            }
        }
        return all;
    }

    private static int[] parse(String line) {
        return List.of(line.split(",")).stream().mapToInt(Integer::parseInt).toArray();
    }

    /// The same in another order.
    Digits shuffled(long seed) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, size()).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        return new Digits(
                order.stream().map(pixels::get).toList(),
                order.stream().map(labels::get).toList());
    }

    /// Those at the places [from, to).
    Digits part(int from, int to) {
        return new Digits(pixels.subList(from, to), labels.subList(from, to));
    }

    int size() {
        return pixels.size();
    }

    /// Writes a file with a header, a column for each element of the model's input, and the digit as `label`.
    void write(Path file) throws IOException {
        try (Writer out = Files.newBufferedWriter(file)) {
            out.write(IntStream.range(0, PIXELS).mapToObj(i -> "x_" + i + ",").collect(Collectors.joining()));
            out.write("label\n");
            for (int i = 0; i < size(); i++) {
                out.write(IntStream.of(pixels.get(i)).mapToObj(p -> p + ",").collect(Collectors.joining()));
                out.write(labels.get(i) + "\n");
            }
        }
    }
}
