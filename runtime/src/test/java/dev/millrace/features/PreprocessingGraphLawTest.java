// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.spec.Feature;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.Input;
import dev.millrace.spec.Transform;
import dev.millrace.spec.ValueKind;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The exported graph, run by ONNX Runtime, gives what the plan gives: the same bits where there is
/// nothing but comparisons and arithmetic, neighbouring floats where a function is more than that
/// and ONNX Runtime has its own.
class PreprocessingGraphLawTest {
    private static final int ROWS = 60;
    /// Of a sine or cosine in doubles.
    private static final double WAVE_ERROR = 0x1p-50;
    /// One of so many columns may be far apart where functions' last digits are carried on.
    private static final int MOST_FAR_APART = 100;

    private static final Map<DataType, List<Object>> GARBAGE = Map.of(
            DataType.FP64, List.of(Double.NaN, 7.5, Double.NEGATIVE_INFINITY),
            DataType.FP32, List.of(Double.NaN, 7.5, 0.0),
            DataType.INT64, List.of(Long.MIN_VALUE, Long.MAX_VALUE, 1L),
            DataType.INT32, List.of((long) Integer.MIN_VALUE, -1L, 2L),
            DataType.BOOL, List.of(0L, 1L, 1L),
            DataType.BYTES, List.of("", "DE", "garbage"));

    /// How near a feature's columns are.
    private enum Nearness {
        /// The same bits.
        SAME,
        /// The same float or its neighbour.
        NEIGHBOUR,
        /// That, or apart by no more than ONNX Runtime's sine and cosine are near zero.
        WAVE,
        /// A function's last digits go through what makes more of them: a difference, a comparison.
        CARRIED
    }

    private final Set<String> transforms = new HashSet<>();
    private final Map<Nearness, Integer> compared = new EnumMap<>(Nearness.class);
    private int rejected;
    private int accepted;
    /// Columns of [Nearness#CARRIED] that are neither the same nor neighbours, and rows of which only
    /// one of both was rejected because of such a value.
    private int farApart;

    @Test
    void shouldGiveWhatThePlanGives() {
        compareAll(20261123L, 40);
    }

    @Test
    @Tag("slow")
    void shouldGiveWhatThePlanGivesOfManySpecifications() {
        compareAll(20270000L, 800);
    }

    private void compareAll(long first, int specs) {
        for (int i = 0; i < specs; i++) {
            long seed = first + i;
            RandomSpecs random = new RandomSpecs(new SplittableRandom(seed), true);
            String text = random.text();
            FeatureSpec spec = FeatureSpec.parse(text, Path.of(""));
            spec.features()
                    .forEach(feature -> feature.transforms()
                            .forEach(transform ->
                                    transforms.add(transform.getClass().getSimpleName())));
            compare("seed " + seed + "\n" + text, spec, random);
        }
        assertThat(transforms).hasSize(20);
        assertThat(accepted).isGreaterThan(specs * ROWS / 3);
        assertThat(rejected).isGreaterThan(specs);
        assertThat(compared.get(Nearness.SAME)).isGreaterThan(specs * ROWS);
        assertThat(compared.get(Nearness.NEIGHBOUR)).isGreaterThan(specs);
        assertThat(compared.get(Nearness.WAVE)).isGreaterThan(specs);
        assertThat(farApart)
                .as("of %s columns that are made of functions' results", compared.get(Nearness.CARRIED))
                .isLessThanOrEqualTo(compared.get(Nearness.CARRIED) / MOST_FAR_APART);
    }

    private void compare(String where, FeatureSpec spec, RandomSpecs random) {
        FeaturePlan plan = FeaturePlan.compile(spec);
        Map<String, Map<Object, StoredRow>> store = random.store(spec);
        FeatureRow row = plan.newRow(new MapSource(store));
        List<Map<String, Object>> rows = new ArrayList<>();
        List<float[]> expected = new ArrayList<>();
        for (int i = 0; i < ROWS; i++) {
            Map<String, Object> request = random.request(plan);
            fill(plan, row.begin(RandomSpecs.NOW), request);
            float[] columns = new float[plan.width()];
            boolean written = plan.write(row, MemorySegment.ofArray(columns), 0);
            boolean prepared = plan.prepare(row);
            boolean lacks = plan.spec().request().stream()
                    .anyMatch(field -> field.required() && request.get(field.name()) == null);
            if (!prepared && !lacks) {
                continue; // rejected for what is stored, which is before the graph
            }
            rows.add(prepared ? raw(plan, row, request) : request);
            expected.add(written ? columns : null);
        }
        if (rows.isEmpty()) {
            return;
        }
        List<Nearness> nearness = nearness(spec);
        try (Graph graph = new Graph(spec)) {
            Map<DataType, Object> garbage = new EnumMap<>(DataType.class);
            GARBAGE.forEach((type, values) -> garbage.put(type, values.get(where.hashCode() & 1)));
            graph.run(rows, garbage);
            for (int i = 0; i < rows.size(); i++) {
                String context = where + "\n" + rows.get(i);
                if (compareRejected(context, graph.isRejected(i), expected.get(i) == null, spec)
                        && expected.get(i) != null) {
                    compare(context, plan.columns(), nearness, expected.get(i), graph.columns(i));
                }
            }
        }
    }

    private boolean compareRejected(String context, boolean came, boolean expected, FeatureSpec spec) {
        if (came != expected && spec.features().stream().anyMatch(feature -> near(spec, feature) != Nearness.SAME)) {
            farApart++;
            return false;
        }
        assertThat(came).as("rejected, " + context).isEqualTo(expected);
        rejected += expected ? 1 : 0;
        accepted += expected ? 0 : 1;
        return true;
    }

    private void compare(
            String context, List<String> names, List<Nearness> nearness, float[] expected, List<Float> came) {
        assertThat(came).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            compared.merge(nearness.get(i), 1, Integer::sum);
            if (Float.floatToRawIntBits(expected[i]) == Float.floatToRawIntBits(came.get(i))) {
                continue;
            }
            String told = names.get(i) + ": " + expected[i] + " expected, " + came.get(i) + " came, " + context;
            boolean neighbour = Math.abs((long) ordered(expected[i]) - ordered(came.get(i))) <= 1;
            switch (nearness.get(i)) {
                case SAME -> throw new AssertionError(told);
                case NEIGHBOUR -> assertThat(neighbour).as(told).isTrue();
                case WAVE ->
                    assertThat(neighbour || Math.abs((double) expected[i] - came.get(i)) <= WAVE_ERROR)
                            .as(told)
                            .isTrue();
                case CARRIED -> farApart += neighbour ? 0 : 1;
            }
        }
    }

    /// A whole number that follows where a float does; both zeros have one.
    private static int ordered(float x) {
        int bits = Float.floatToRawIntBits(x);
        return bits < 0 ? Integer.MIN_VALUE - bits : bits;
    }

    /// By column.
    private static List<Nearness> nearness(FeatureSpec spec) {
        List<Nearness> all = new ArrayList<>();
        for (Feature feature : spec.features()) {
            for (int i = 0;
                    feature.columns().emit() && i < feature.columns().names().size();
                    i++) {
                all.add(near(spec, feature));
            }
        }
        return all;
    }

    private static Nearness near(FeatureSpec spec, Feature feature) {
        Nearness near = Nearness.SAME;
        for (Input input : feature.inputs()) {
            if (input.origin() == Input.Origin.FEATURE) {
                Feature earlier = spec.features().stream()
                        .filter(each -> each.name().equals(input.name()))
                        .findFirst()
                        .orElseThrow();
                near = near(spec, earlier) == Nearness.SAME ? near : Nearness.CARRIED;
            }
        }
        for (Transform transform : feature.transforms()) {
            boolean keeps = transform instanceof Transform.Clip || transform instanceof Transform.Impute;
            if (near == Nearness.SAME && transform instanceof Transform.Log1p) {
                near = Nearness.NEIGHBOUR;
            } else if (near == Nearness.SAME && transform instanceof Transform.Cyclical) {
                near = Nearness.WAVE;
            } else if (transform instanceof Transform.Power || (near != Nearness.SAME && !keeps)) {
                near = Nearness.CARRIED;
            }
        }
        return near == Nearness.SAME || feature.checks().validations().isEmpty() ? near : Nearness.CARRIED;
    }

    /// What the graph takes: raw values, stored ones as they are after their freshness was looked at.
    private static Map<String, Object> raw(FeaturePlan plan, FeatureRow row, Map<String, Object> request) {
        Map<String, Object> raw = new HashMap<>(request);
        for (FeatureSteps feature : plan.features()) {
            for (int i = 0; i < feature.inputs.length; i++) {
                Input input = feature.feature.inputs().get(i);
                int slot = feature.inputs[i];
                if (input.origin() != Input.Origin.FEATURE) {
                    raw.put(input.word(), row.nulls[slot] ? null : value(row, input.kind(), row.slots[slot]));
                }
            }
        }
        return raw;
    }

    private static Object value(FeatureRow row, ValueKind kind, long bits) {
        return switch (kind) {
            case NUMBER -> Double.longBitsToDouble(bits);
            case TEXT -> {
                String quoted = row.shown(kind, bits);
                yield quoted.substring(1, quoted.length() - 1);
            }
            default -> bits;
        };
    }

    private static void fill(FeaturePlan plan, FeatureRow row, Map<String, Object> request) {
        for (int i = 0; i < plan.fieldCount(); i++) {
            switch (request.get(plan.fieldName(i))) {
                case null -> row.setNull(i);
                case Double value -> row.set(i, value.doubleValue());
                case Long value -> row.set(i, value.longValue());
                case String value -> row.set(i, value);
                default -> throw new IllegalStateException();
            }
        }
    }
}
