// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.decode;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// What is read: several texts of the same form from a fixed seed, so that no processor learns one by heart.
///
/// Each number is the shortest decimal that reads back as the same value: up to 9 significant digits.
public enum Document {
    /// A row of 64 numbers as a request of the Open Inference Protocol.
    REQUEST("a request, 64 numbers", 256, 64, false),
    /// A picture of 3 by 224 by 224, as its tensor alone.
    PICTURE("an array, 150,528 numbers", 2, 3 * 224 * 224, true);

    private static final long SEED = 20_261_122L;
    /// What the readers want to have behind a text.
    private static final int PADDING = 64;

    private final String title;
    private final int count;
    private final int width;
    private final boolean flat;

    Document(String title, int count, int width, boolean flat) {
        this.title = title;
        this.count = count;
        this.width = width;
        this.flat = flat;
    }

    /// One text.
    ///
    /// @param bytes in UTF-8, and padding after it
    /// @param length without the padding
    /// @param values what is in it
    record Text(byte[] bytes, int length, float[] values) {}

    String title() {
        return title;
    }

    /// How many numbers are in a text.
    int width() {
        return width;
    }

    /// Whether a text is nothing but an array.
    boolean isFlat() {
        return flat;
    }

    List<Text> texts() {
        SplittableRandom random = new SplittableRandom(SEED);
        List<Text> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            float[] values = new float[width];
            for (int j = 0; j < width; j++) {
                values[j] = (float) random.nextGaussian();
            }
            String text = flat ? "[" + list(values) + "]" : request("features", values);
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            texts.add(new Text(Arrays.copyOf(bytes, bytes.length + PADDING), bytes.length, values));
        }
        return texts;
    }

    /// The body of a request for one row of numbers.
    public static String request(String input, float[] row) {
        return request(input, "[1," + row.length + "]", row);
    }

    /// The body of a request for one tensor.
    ///
    /// @param shape as JSON
    public static String request(String input, String shape, float[] tensor) {
        return "{\"inputs\":[{\"name\":\"" + input + "\",\"shape\":" + shape + ",\"datatype\":\"FP32\",\"data\":["
                + list(tensor) + "]}]}";
    }

    private static String list(float[] values) {
        StringBuilder list = new StringBuilder();
        for (float value : values) {
            list.append(list.isEmpty() ? "" : ",").append(value);
        }
        return list.toString();
    }
}
