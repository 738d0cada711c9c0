// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureSpecException;
import dev.millrace.spec.Validation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The plan gives the same bits and the same statuses as the slow and plain way, whatever the
/// specification and the row.
class FeaturePlanLawTest {
    private static final int ROWS = 40;
    private static final int BEFORE = 12;
    private static final float UNTOUCHED = 123.5f;

    private final Map<FeatureStatus, Integer> seen = new HashMap<>();
    private final Set<String> transforms = new HashSet<>();
    private int accepted;
    private int rejected;

    @Test
    void shouldWriteWhatThePlainWayGives() {
        compareAll(20261123L, 120);
    }

    @Test
    @Tag("slow")
    void shouldWriteWhatThePlainWayGivesOfManySpecifications() {
        compareAll(20270000L, 3000);
    }

    private void compareAll(long first, int specs) {
        for (int i = 0; i < specs; i++) {
            long seed = first + i;
            RandomSpecs random = new RandomSpecs(new SplittableRandom(seed));
            String text = random.text();
            FeatureSpec spec = spec(seed, text);
            spec.features()
                    .forEach(feature -> feature.transforms()
                            .forEach(transform ->
                                    transforms.add(transform.getClass().getSimpleName())));
            FeaturePlan plan = FeaturePlan.compile(spec);
            Map<String, Map<Object, StoredRow>> store = random.store(spec);
            FeatureRow row = plan.newRow(new MapSource(store));
            for (int j = 0; j < ROWS; j++) {
                compare("seed " + seed + ", row " + j + ":\n" + text, plan, row, random.request(plan), store);
            }
        }
        assertThat(accepted).isGreaterThan(specs * ROWS / 3);
        assertThat(rejected).isGreaterThan(specs);
        assertThat(seen.keySet()).isEqualTo(EnumSet.allOf(FeatureStatus.class));
        assertThat(transforms).hasSize(22);
    }

    private static FeatureSpec spec(long seed, String text) {
        try {
            return FeatureSpec.parse(text, Path.of(""));
        } catch (FeatureSpecException e) {
            throw new AssertionError("seed " + seed + "\n" + text, e);
        }
    }

    private void compare(
            String where,
            FeaturePlan plan,
            FeatureRow row,
            Map<String, Object> request,
            Map<String, Map<Object, StoredRow>> store) {
        MemorySegment out = MemorySegment.ofArray(new byte[BEFORE + plan.width() * 4 + 4]);
        for (int i = 0; i <= plan.width(); i++) {
            out.set(ValueLayout.JAVA_FLOAT_UNALIGNED, BEFORE + 4L * i, UNTOUCHED);
        }
        fill(plan, row.begin(RandomSpecs.NOW), request);
        String context = where + request + "\n" + store;
        boolean written = plan.write(row, out, BEFORE);
        assertThat(out.get(ValueLayout.JAVA_FLOAT_UNALIGNED, BEFORE + 4L * plan.width()))
                .isEqualTo(UNTOUCHED);
        Plain.Result expected;
        try {
            expected = Plain.of(plan.spec(), request, store, RandomSpecs.NOW);
        } catch (Rejected e) {
            rejected++;
            assertThat(written).as(context).isFalse();
            assertThat(row.problem())
                    .as(context)
                    .startsWith(e.getMessage() + ": ")
                    .contains(" came, expected ");
            assertThat(out.get(ValueLayout.JAVA_FLOAT_UNALIGNED, BEFORE)).isEqualTo(UNTOUCHED);
            assertThat(plan.explain(row).problem()).isEqualTo(row.problem());
            return;
        }
        accepted++;
        assertThat(row.problem()).as(context).isNull();
        assertThat(written).as(context).isTrue();
        for (int i = 0; i < plan.width(); i++) {
            float came = out.get(ValueLayout.JAVA_FLOAT_UNALIGNED, BEFORE + 4L * i);
            if (Float.floatToRawIntBits(came)
                    != Float.floatToIntBits(expected.columns().get(i))) {
                assertThat(came)
                        .as("column %s, %s", plan.columns().get(i), context)
                        .isEqualTo(expected.columns().get(i));
                throw new AssertionError("bits of column " + plan.columns().get(i) + ", " + context);
            }
        }
        for (int i = 0; i < plan.spec().features().size(); i++) {
            String feature = plan.spec().features().get(i).name();
            assertThat(row.status(i))
                    .as("status of %s, %s", feature, context)
                    .isEqualTo(expected.statuses().get(i));
            assertThat(row.ageMicros(i))
                    .as("age of %s, %s", feature, context)
                    .isEqualTo(expected.ages().get(i));
            seen.merge(row.status(i), 1, Integer::sum);
        }
        assertThat(row.isDegraded()).as("degraded, %s", context).isEqualTo(expected.degraded());
        finiteWherePromised(plan, row, expected, context);
        assertThat(plan.explain(row).features()).hasSameSizeAs(plan.spec().features());
    }

    /// A column that promised to be finite is, or the row says that it is not.
    private static void finiteWherePromised(FeaturePlan plan, FeatureRow row, Plain.Result expected, String context) {
        int column = 0;
        for (int i = 0; i < plan.spec().features().size(); i++) {
            var feature = plan.spec().features().get(i);
            if (!feature.columns().emit()) {
                continue;
            }
            boolean promised = feature.checks().validations().stream()
                    .anyMatch(validation -> validation.check() == Validation.Check.FINITE);
            for (int j = 0; j < feature.columns().width(); j++) {
                if (promised && row.status(i) != FeatureStatus.INVALID) {
                    assertThat(expected.columns().get(column + j)).as(context).isFinite();
                }
            }
            column += feature.columns().names().size();
        }
    }

    private static void fill(FeaturePlan plan, FeatureRow row, Map<String, Object> request) {
        for (int i = 0; i < plan.fieldCount(); i++) {
            switch (request.get(plan.fieldName(i))) {
                case null -> row.setNull(i);
                case Double value -> row.set(i, value.doubleValue());
                case Long value -> row.set(i, value.longValue());
                case String value -> {
                    byte[] bytes = ("##" + value).getBytes(StandardCharsets.UTF_8);
                    if (value.length() % 2 == 0) {
                        row.set(i, bytes, 2, bytes.length - 2);
                    } else {
                        row.set(i, MemorySegment.ofArray(bytes), 2, bytes.length - 2);
                    }
                }
                default -> throw new IllegalStateException();
            }
        }
    }
}
