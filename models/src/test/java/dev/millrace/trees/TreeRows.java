// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Rows that an ensemble is asked about: on the bounds of its splits, one float beside, and whatever else there is.
/// They are made from the dump and a seed, so that the library's answers are all that is kept.
///
/// Bounds are found by looking for their text, and not by what is tested.
final class TreeRows {
    private static final long SEED = 20261123;
    private static final Pattern LIGHTGBM_FEATURES = Pattern.compile("(?m)^max_feature_idx=(\\d+)$");
    private static final Pattern LIGHTGBM_TREE =
            Pattern.compile("(?m)^split_feature=(.*)\\n(?:split_gain=.*\\n)?threshold=(.*)\\ndecision_type=(.*)$");
    private static final Pattern XGBOOST_FEATURES = Pattern.compile("\"num_feature\":\"(\\d+)\"");
    private static final Pattern XGBOOST_TREE = Pattern.compile(
            "\"left_children\":\\[([^]]*)].*?\"split_conditions\":\\[([^]]*)],\"split_indices\":\\[([^]]*)],"
                    + "\"split_type\":\\[([^]]*)]");

    private final int features;
    private final List<List<Double>> bounds = new ArrayList<>();
    private final boolean[] categorical;

    private TreeRows(int features) {
        this.features = features;
        this.categorical = new boolean[features];
        for (int i = 0; i < features; i++) {
            bounds.add(new ArrayList<>());
        }
    }

    static TreeRows of(String dump) {
        return dump.startsWith("tree") ? ofLightGbm(dump) : ofXgboost(dump);
    }

    private static TreeRows ofLightGbm(String dump) {
        TreeRows rows = new TreeRows(1 + number(LIGHTGBM_FEATURES, dump));
        Matcher trees = LIGHTGBM_TREE.matcher(dump);
        while (trees.find()) {
            String[] features = trees.group(1).split(" ");
            String[] thresholds = trees.group(2).split(" ");
            String[] decisions = trees.group(3).split(" ");
            for (int i = 0; i < features.length && !features[0].isEmpty(); i++) {
                rows.add(
                        Integer.parseInt(features[i]),
                        Double.parseDouble(thresholds[i].replace("inf", "Infinity")),
                        Integer.parseInt(decisions[i]) % 2 == 1);
            }
        }
        return rows;
    }

    private static TreeRows ofXgboost(String dump) {
        TreeRows rows = new TreeRows(number(XGBOOST_FEATURES, dump));
        Matcher trees = XGBOOST_TREE.matcher(dump);
        while (trees.find()) {
            String[] left = trees.group(1).split(",");
            String[] conditions = trees.group(2).split(",");
            String[] features = trees.group(3).split(",");
            String[] types = trees.group(4).split(",");
            for (int i = 0; i < left.length; i++) {
                if (!left[i].equals("-1")) {
                    rows.add(Integer.parseInt(features[i]), Float.parseFloat(conditions[i]), types[i].equals("1"));
                }
            }
        }
        return rows;
    }

    private static int number(Pattern pattern, String dump) {
        Matcher matcher = pattern.matcher(dump);
        if (!matcher.find()) {
            throw new IllegalArgumentException("no " + pattern);
        }
        return Integer.parseInt(matcher.group(1));
    }

    private void add(int feature, double bound, boolean category) {
        categorical[feature] |= category;
        bounds.get(feature).add(bound);
    }

    int features() {
        return features;
    }

    /// Rows, one after the other.
    ///
    /// @param infinite whether infinite values may be among them, which XGBoost does not take
    float[] make(int rows, boolean infinite) {
        SplittableRandom random = new SplittableRandom(SEED);
        float[] all = new float[rows * features];
        for (int i = 0; i < all.length; i++) {
            int feature = i % features;
            all[i] = categorical[feature] ? category(random) : value(random, bounds.get(feature), infinite);
        }
        return all;
    }

    private static float category(SplittableRandom random) {
        return switch (random.nextInt(20)) {
            case 0 -> Float.NaN;
            case 1 -> -1 - random.nextInt(3);
            case 2 -> random.nextInt(120) + random.nextInt(4) / 4f;
            case 3 -> random.nextInt(10) == 0 ? 1e9f : -0.5f * random.nextInt(3);
            case 4, 5, 6, 7, 8, 9 -> random.nextInt(6);
            default -> random.nextInt(120);
        };
    }

    private static float value(SplittableRandom random, List<Double> bounds, boolean infinite) {
        double bound = bounds.isEmpty() ? random.nextInt(3) : bounds.get(random.nextInt(bounds.size()));
        float nearest = (float) bound;
        return switch (random.nextInt(40)) {
            case 0, 1, 2, 3 -> Float.NaN;
            case 4 -> 0f;
            case 5 -> -0f;
            case 6 -> (random.nextBoolean() ? 1 : -1) * tiny(random);
            case 7 -> infinite ? (random.nextBoolean() ? 1 : -1) * Float.POSITIVE_INFINITY : Float.MAX_VALUE;
            case 8, 9, 10, 11, 12, 13, 14 -> nearest;
            case 15, 16, 17 -> Math.nextUp(nearest);
            case 18, 19, 20 -> Math.nextDown(nearest);
            default -> (float) (bound + random.nextDouble(-2, 2));
        };
    }

    private static float tiny(SplittableRandom random) {
        float[] all = {Float.MIN_VALUE, 1e-35f, Math.nextUp(1e-35f), Math.nextDown(1e-35f), 1e-20f};
        return all[random.nextInt(all.length)];
    }

    /// Writes rows as little-endian floats, for the programs that ask the libraries.
    public static void main(String... arguments) throws IOException {
        String dump = Files.readString(Path.of(arguments[0]), StandardCharsets.UTF_8);
        float[] rows = of(dump).make(Integer.parseInt(arguments[1]), arguments[2].equals("infinite"));
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * rows.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(rows);
        Files.write(Path.of(arguments[3]), bytes.array());
    }
}
