// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.onnx.OnnxFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Random trees with splits of any number of intervals: ONNX Runtime finds the leaf that the splits say.
class TreeWriterTest {
    private static final int FEATURES = 3;
    private static final int TREES = 40;
    private static final int ROWS = 400;

    @TempDir
    Path temp;

    /// Makes trees of a random shape.
    private static final class Grower {
        private final SplittableRandom random;
        private final int[] counts = {0, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 13, 40};
        private final List<Split> splits = new ArrayList<>();
        private final List<Integer> left = new ArrayList<>();
        private final List<Integer> right = new ArrayList<>();
        private final boolean inclusive;

        Grower(SplittableRandom random, boolean inclusive) {
            this.random = random;
            this.inclusive = inclusive;
        }

        int grow(int depth) {
            int node = splits.size();
            splits.add(depth == 0 || random.nextInt(6) == 0 ? null : split());
            left.add(0);
            right.add(0);
            if (splits.get(node) != null) {
                left.set(node, grow(depth - 1));
                right.set(node, grow(depth - 1));
            }
            return node;
        }

        private Split split() {
            TreeSet<Float> bounds = new TreeSet<>();
            int count = counts[random.nextInt(counts.length)];
            while (bounds.size() < count) {
                bounds.add(random.nextInt(-30, 30) / 4f + 0f);
            }
            if (count == 1 && random.nextInt(3) == 0) {
                bounds = new TreeSet<>(List.of((inclusive ? 1 : -1) * Float.POSITIVE_INFINITY));
            }
            float[] all = new float[bounds.size()];
            int i = 0;
            for (float bound : bounds) {
                all[i++] = bound;
            }
            boolean first = random.nextBoolean();
            return new Split(random.nextInt(FEATURES), all, first, count == 0 ? first : random.nextBoolean());
        }

        DecisionTree tree() {
            grow(5);
            double[] values = new double[splits.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = i + 1;
            }
            return new DecisionTree(
                    "a tree",
                    0,
                    splits.toArray(Split[]::new),
                    left.stream().mapToInt(i -> i).toArray(),
                    right.stream().mapToInt(i -> i).toArray(),
                    values);
        }
    }

    private static double walk(DecisionTree tree, float[] rows, int row, boolean inclusive) {
        int node = 0;
        while (tree.splits()[node] != null) {
            Split split = tree.splits()[node];
            float x = rows[row * FEATURES + split.feature()];
            int interval = 0;
            for (float bound : split.bounds()) {
                interval += inclusive ? (x > bound ? 1 : 0) : (x >= bound ? 1 : 0);
            }
            boolean goesLeft = Float.isNaN(x) ? split.missingLeft() : split.isLeft(interval);
            node = goesLeft ? tree.left()[node] : tree.right()[node];
        }
        return tree.values()[node];
    }

    private static float[] rows(SplittableRandom random) {
        float[] rows = new float[ROWS * FEATURES];
        for (int i = 0; i < rows.length; i++) {
            float bound = random.nextInt(-31, 31) / 4f;
            rows[i] = switch (random.nextInt(12)) {
                case 0 -> Float.NaN;
                case 1 -> Float.POSITIVE_INFINITY;
                case 2 -> Float.NEGATIVE_INFINITY;
                case 3 -> -0f;
                case 4, 5 -> Math.nextUp(bound);
                case 6, 7 -> Math.nextDown(bound);
                default -> bound;
            };
        }
        return rows;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldFindTheLeafThatTheSplitsSay(boolean inclusive) throws IOException {
        SplittableRandom random = new SplittableRandom(inclusive ? 1 : 2);
        float[] rows = rows(random);
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < TREES; i++) {
            DecisionTree tree = new Grower(random, inclusive).tree().check(FEATURES);
            Ensemble ensemble = new Ensemble(
                    "a test", "none", FEATURES, List.of(), inclusive, Link.NONE, 1, 1, new float[1], List.of(tree));
            Path model = temp.resolve("model.onnx");
            try (OnnxFile file = TreeGraph.of(ensemble, ImportOptions.DEFAULT, 1 << 20)) {
                file.write(model);
            }
            double[] found = TreeRun.run(model, rows, FEATURES).getFirst();
            assertThat(found).hasSize(ROWS);
            for (int row = 0; row < ROWS; row++) {
                if (found[row] != walk(tree, rows, row, inclusive)) {
                    wrong.add("tree " + i + ", "
                            + Arrays.toString(Arrays.copyOfRange(rows, row * FEATURES, (row + 1) * FEATURES)));
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    /// As deep as trees may be; ONNX Runtime calls itself for each level when it loads one.
    @Test
    void shouldWriteTreesThatOnnxRuntimeHasTheStackFor() throws IOException {
        int inner = 1000;
        Split[] splits = new Split[2 * inner + 1];
        int[] left = new int[splits.length];
        int[] right = new int[splits.length];
        double[] values = new double[splits.length];
        for (int i = 0; i < inner; i++) {
            splits[i] = new Split(0, new float[] {i}, true, false);
            left[i] = inner + i;
            right[i] = i + 1 < inner ? i + 1 : 2 * inner;
        }
        for (int i = inner; i < splits.length; i++) {
            values[i] = i - inner;
        }
        DecisionTree tree = new DecisionTree("a tree", 0, splits, left, right, values).check(1);
        Ensemble ensemble =
                new Ensemble("a test", "none", 1, List.of(), true, Link.NONE, 1, 1, new float[1], List.of(tree));
        Path model = temp.resolve("model.onnx");
        try (OnnxFile file = TreeGraph.of(ensemble, ImportOptions.DEFAULT, 1 << 20)) {
            file.write(model);
        }

        double[] found =
                TreeRun.run(model, new float[] {-1, 0, 0.5f, 998, 999, 1000}, 1).getFirst();

        assertThat(found).containsExactly(0, 0, 1, 998, 999, 1000);
    }
}
