// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.spec.FeatureView;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FeaturePlanTest {
    private static final long NOW = 1_700_000_000_000_000L;

    private static float[] written(FeaturePlan plan, FeatureRow row) {
        MemorySegment out = MemorySegment.ofArray(new float[plan.width()]);
        assertThat(plan.write(row, out, 0)).as(row.problem()).isTrue();
        return out.toArray(ValueLayout.JAVA_FLOAT);
    }

    private static String problem(FeaturePlan plan, FeatureRow row) {
        assertThat(plan.write(row, MemorySegment.ofArray(new float[plan.width()]), 0))
                .isFalse();
        assertThat(row.isRejected()).isTrue();
        return row.problem();
    }

    private static FeatureRow row(FeaturePlan plan) {
        return plan.newRow().begin(NOW).set(plan.field("must"), 1);
    }

    private static FeatureSource store(Map<Object, StoredRow> rows) {
        return new MapSource(Map.of("v", rows));
    }

    @Test
    void shouldSayWhatARowIsRejectedFor() {
        FeaturePlan plan = Specs.plan("""
            - {name: a, input: x, treat: {invalid: {treatment: reject, max: 10}},
               transform: [log1p], validate: [{finite: true}]}
            - {name: b, input: s, transform: [{one_hot: {vocab: [DE], unknown: reject}}]}
            """);
        int x = plan.field("x");
        int s = plan.field("s");

        assertThat(problem(plan, plan.newRow().begin(NOW))).isEqualTo("must: null came, expected float64");
        assertThat(problem(plan, row(plan).set(x, 11.5)))
                .isEqualTo("a: 11.5 came, expected a finite number from -Infinity to 10.0");
        assertThat(problem(plan, row(plan).set(x, -3.0)))
                .isEqualTo("a: NaN came, expected a finite number that a float32 holds");
        assertThat(problem(plan, row(plan))).isEqualTo("a: null came, expected a finite number that a float32 holds");
        assertThat(problem(plan, row(plan).set(x, 1).set(s, "FR")))
                .isEqualTo("b: 'FR' came, expected one of 1 categories, the first of them 'DE'");
        assertThat(written(plan, row(plan).set(x, 0).set(s, "DE"))).containsExactly(0, 1);
    }

    @Test
    void shouldRefuseValuesOfOtherTypes() {
        FeaturePlan plan = Specs.plan("- {name: a, input: x}\n");
        FeatureRow row = row(plan);

        assertThatThrownBy(() -> row.set(plan.field("i"), 1L << 31))
                .hasMessage("field 'i' was given 2147483648, expected int32");
        assertThatThrownBy(() -> row.set(plan.field("n"), 1.5)).hasMessage("field 'n' was given 1.5, expected int64");
        assertThatThrownBy(() -> row.set(plan.field("n"), Double.NaN))
                .hasMessage("field 'n' was given NaN, expected int64");
        assertThatThrownBy(() -> row.set(plan.field("p"), 2)).hasMessage("field 'p' was given 2, expected bool");
        assertThatThrownBy(() -> row.set(plan.field("s"), 2))
                .hasMessage("field 's' was given 2, expected string of at most 65536 bytes");
        assertThatThrownBy(() -> row.set(plan.field("x"), "2"))
                .hasMessage("field 'x' was given a text, expected float64");
        assertThatThrownBy(() -> row.set(plan.field("t"), 2.0))
                .hasMessage("field 't' was given 2.0, expected timestamp");
        assertThatThrownBy(() -> row.set(plan.field("s"), "x".repeat(65_537)))
                .hasMessage("field 's' was given a text of 65537 bytes, expected string of at most 65536 bytes");
        assertThatThrownBy(() -> plan.field("z"))
                .hasMessage("field 'z' came, expected one of [x, n, i, p, f, s, t, must]");
        assertThatThrownBy(() -> plan.newRow().set(0, 1).ageMicros(5)).isInstanceOf(IndexOutOfBoundsException.class);
        FeatureRow fresh = plan.newRow();
        MemorySegment out = MemorySegment.ofArray(new float[1]);
        assertThatThrownBy(() -> plan.write(fresh, out, 0)).hasMessageContaining("expected begin(nowMicros) first");
        FeatureRow other = row(Specs.plan("- {name: a, input: x}\n"));
        assertThatThrownBy(() -> plan.write(other, out, 0)).hasMessageContaining("a row of another plan came");
    }

    @Test
    void shouldTakeValuesOfTypesThatFit() {
        FeaturePlan plan = Specs.plan("""
            - {name: a, inputs: [x, f, n, i, p], transform: [concat]}
            """);
        FeatureRow row = row(plan);
        row.set(plan.field("x"), 7)
                .set(plan.field("f"), 0.1)
                .set(plan.field("n"), 3.0)
                .set(plan.field("i"), true);
        row.set(plan.field("p"), true);

        assertThat(written(plan, row)).containsExactly(7, 0.1f, 3, 1, 1);
        row.begin(NOW).set(plan.field("must"), 1).set(plan.field("p"), false);
        assertThat(written(plan, row)).containsExactly(Float.NaN, Float.NaN, Float.NaN, Float.NaN, 0);
    }

    @Test
    void shouldMakeOneOfTwo() {
        FeaturePlan plan = Specs.plan("""
            - {name: a, inputs: [x, n], transform: [subtract]}
            - {name: b, inputs: [x, n], transform: [divide, {clip: {low: 0, high: 9}}]}
            - {name: c, inputs: [s, v.b], transform: [equal], default: -1}
            - {name: d, inputs: [n, i], transform: [equal], default: -1}
            - {name: e, inputs: [request_time, t], transform: [{elapsed: {unit: hours}}]}
            """);
        FeatureRow row = plan.newRow(store(Map.of(4L, new StoredRow(Map.of("b", "q"), NOW))));
        row.begin(NOW).set(plan.field("must"), 1).set(plan.field("n"), 4).set(plan.field("i"), 4);
        row.set(plan.field("x"), 10.0).set(plan.field("s"), "q").set(plan.field("t"), NOW - 5_400_000_000L);
        assertThat(written(plan, row)).containsExactly(6, 2.5f, 1, 1, 1.5f);
        row.set(plan.field("i"), 5).set(plan.field("s"), "qq").set(plan.field("t"), NOW + 3_600_000_000L);
        assertThat(written(plan, row)).containsExactly(6, 2.5f, 0, 0, -1);
        row.set(plan.field("t"), Long.MIN_VALUE).setNull(plan.field("x")).setNull(plan.field("i"));
        row.setNull(plan.field("s"));
        assertThat(written(plan, row))
                .containsExactly(Float.NaN, Float.NaN, -1, -1, (float) (0x1p63 / 3.6e9 + NOW / 3.6e9));
        assertThat(row.status(0)).isEqualTo(FeatureStatus.NULL_VALUE);
        row.set(plan.field("x"), -0.0).set(plan.field("n"), 0);
        assertThat(written(plan, row)).startsWith(-0.0f, Float.NaN);
    }

    @Test
    void shouldFollowPoliciesWhenStoredValuesAreOldOrNotThere() {
        String features = "- {name: a, input: v.a}\n- {name: b, input: v.b, transform: [{vocab: {values: [q], "
                + "unknown: value, unknown_value: 9}}]}\n";
        Map<Object, StoredRow> rows = Map.of(
                1L, new StoredRow(Map.of("a", 2.5, "b", "q"), NOW - 3_600_000_000L),
                2L, new StoredRow(Map.of("a", 3.5), NOW - 3_600_000_001L));
        FeaturePlan plan = Specs.plan("ttl: 1h, on_stale: default", features);
        FeatureRow row = plan.newRow(store(rows));
        int n = plan.field("n");
        int must = plan.field("must");

        assertThat(written(plan, row.begin(NOW).set(must, 1).set(n, 1))).containsExactly(2.5f, 0);
        assertThat(List.of(row.status(0), row.status(1))).containsOnly(FeatureStatus.PRESENT);
        assertThat(row.ageMicros(0)).isEqualTo(3_600_000_000L);
        assertThat(row.isDegraded()).isFalse();
        assertThat(written(plan, row.begin(NOW).set(must, 1).set(n, 2))).containsExactly(0.5f, Float.NaN);
        assertThat(List.of(row.status(0), row.status(1))).containsOnly(FeatureStatus.OUTSIDE_MAX_AGE);
        assertThat(row.isDegraded()).isTrue();
        assertThat(written(plan, row.begin(NOW).set(must, 1).set(n, 3))).containsExactly(0.5f, Float.NaN);
        assertThat(row.status(0)).isEqualTo(FeatureStatus.NOT_FOUND);
        assertThat(row.ageMicros(0)).isEqualTo(FeatureRow.NO_AGE);
        assertThat(written(plan, row.begin(NOW).set(must, 1))).containsExactly(0.5f, Float.NaN);
        assertThat(row.status(0)).isEqualTo(FeatureStatus.NOT_FOUND);

        FeaturePlan serving = Specs.plan("ttl: 1h, on_stale: serve_and_flag, on_missing_entity: null", features);
        FeatureRow served = serving.newRow(store(rows));
        assertThat(written(serving, served.begin(NOW).set(must, 1).set(n, 2))).containsExactly(3.5f, Float.NaN);
        assertThat(served.status(0)).isEqualTo(FeatureStatus.OUTSIDE_MAX_AGE);
        assertThat(written(serving, served.begin(NOW).set(must, 1).set(n, 3))).containsOnly(Float.NaN);

        FeaturePlan strict = Specs.plan("ttl: 1h, on_stale: reject, on_missing_entity: reject", features);
        FeatureRow rejected = strict.newRow(store(rows));
        assertThat(problem(strict, rejected.begin(NOW).set(must, 1).set(n, 2)))
                .isEqualTo("v: 3600000001 came, expected stored values that are at most 3600000000 microseconds old");
        assertThat(problem(strict, rejected.begin(NOW).set(must, 1).set(n, 3)))
                .isEqualTo("v: 3 came, expected stored values of the entity");
        assertThatThrownBy(plan::newRow).hasMessage("view 'v' is stored, expected a source that has it");
    }

    @Test
    void shouldLayFieldsOutByWidth() {
        FeatureView view =
                Specs.plan("- {name: a, input: v.a}\n").spec().views().getFirst();
        ViewLayout layout = ViewLayout.of(view);

        assertThat(layout.offset(0)).isEqualTo(8);
        assertThat(layout.offset(1)).isEqualTo(16);
        assertThat(layout.byteSize()).isEqualTo(24);
        assertThat(layout.bitmapBytes()).isEqualTo(8);
    }

    @Test
    void shouldTellWhatBecameOfARow() throws IOException {
        FeaturePlan plan = Specs.plan("""
            - name: a
              input: x
              treat: {outlier: {low: 0, high: 3, treatment: as_extreme},
                      missing: {treatment: as_is, indicator: none}}
              transform: [log1p]
            - {name: b, input: s, transform: [{one_hot: {vocab: ['"', FR], unknown: ignore}}]}
            """);
        Explanation told = plan.explain(row(plan).set(plan.field("x"), 9).set(plan.field("s"), "\""));

        assertThat(told.features().getFirst())
                .isEqualTo(new Explanation.OfFeature(
                        "a",
                        FeatureStatus.CLIPPED,
                        FeatureRow.NO_AGE,
                        List.of(new Explanation.Item("x", "9.0")),
                        List.of(
                                new Explanation.Item("outlier", "3.0"),
                                new Explanation.Item("missing", "3.0"),
                                new Explanation.Item("log1p", Double.toString(StrictMath.log1p(3)))),
                        List.of(
                                new Explanation.Item("a", Float.toString((float) StrictMath.log1p(3))),
                                new Explanation.Item("none", "0.0"))));
        JsonNode json = new ObjectMapper().readTree(told.toJson());
        assertThat(json.at("/features/1/columns/0/name").asText()).isEqualTo("b_\"");
        assertThat(json.at("/features/1/columns/0/value").asText()).isEqualTo("1.0");
        assertThat(json.at("/features/0/age_micros").isNull()).isTrue();
        assertThat(json.get("digest").asText()).isEqualTo(plan.spec().digest());
        assertThat(told.toText())
                .contains("a  CLIPPED          x=9.0 -> outlier 3.0 -> missing 3.0 -> log1p 1.386")
                .contains("b  PRESENT          s='\"' => b_\"=1.0, b_FR=0.0");
        assertThat(plan.explain(plan.newRow().begin(NOW)).toText())
                .contains("rejected: must: null came, expected float64");
    }

    @Test
    void shouldTakeLongTextsAndManyRows() {
        FeaturePlan plan =
                Specs.plan("- {name: a, input: s, transform: [{hash: {buckets: 1000, algorithm: murmur3_x86_32}}]}\n");
        FeatureRow row = row(plan);
        float first = written(plan, row.set(plan.field("s"), "y".repeat(60_000)))[0];

        for (int i = 0; i < 100; i++) {
            row.begin(NOW).set(plan.field("must"), 1).set(plan.field("s"), "y".repeat(60_000));
            assertThat(written(plan, row)).containsExactly(first);
        }
    }

    @Test
    void shouldWriteOneNaN() {
        FeaturePlan plan = Specs.plan("- {name: a, input: x}\n");
        MemorySegment out = MemorySegment.ofArray(new float[1]);

        plan.write(row(plan).set(plan.field("x"), Double.longBitsToDouble(0xfff8_dead_beef_0001L)), out, 0);

        assertThat(out.get(ValueLayout.JAVA_INT_UNALIGNED, 0)).isEqualTo(0x7fc00000);
    }
}
