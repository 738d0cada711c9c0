// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigDecimal;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Operators give what scikit-learn's and numpy's give; `sklearn.json` says how its values were
/// made. Bit for bit, but for a given number of the float's last digits where logarithms, powers
/// and sines are in it: those are not the same in every C library.
class SklearnTest {
    record Case(String name, String type, String transform, int ulps, JsonNode inputs, JsonNode outputs) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Case> cases() throws IOException {
        try (InputStream in = SklearnTest.class.getResourceAsStream("sklearn.json")) {
            JsonNode cases = new ObjectMapper().readTree(in).get("cases");
            return Stream.iterate(0, i -> i < cases.size(), i -> i + 1)
                    .map(cases::get)
                    .map(each -> new Case(
                            each.get("name").asText(),
                            each.get("type").asText(),
                            each.get("transform").asText(),
                            each.get("ulps").asInt(),
                            each.get("inputs"),
                            each.get("outputs")));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void shouldGiveWhatScikitLearnGives(Case golden) {
        String input = golden.type().equals("string") ? "s" : golden.type().equals("int64") ? "n" : "x";
        FeaturePlan plan = Specs.plan("- {name: y, input: " + input + ", transform: " + golden.transform() + "}\n");
        FeatureRow row = plan.newRow();
        MemorySegment out = MemorySegment.ofArray(new float[plan.width()]);
        assertThat(golden.inputs()).isNotEmpty();
        for (int i = 0; i < golden.inputs().size(); i++) {
            JsonNode value = golden.inputs().get(i);
            row.begin(0).set(plan.field("must"), 1);
            int field = plan.field(input);
            switch (value.isNull() ? "null" : input) {
                case "s" -> row.set(field, value.asText());
                case "n" -> row.set(field, new BigDecimal(value.asText()).longValueExact());
                case "x" -> row.set(field, Double.parseDouble(value.asText()));
                default -> row.setNull(field);
            }
            assertThat(plan.write(row, out, 0)).as(row.problem()).isTrue();
            JsonNode expected = golden.outputs().get(i);
            assertThat(plan.width()).isEqualTo(expected.size());
            for (int column = 0; column < expected.size(); column++) {
                float wanted = (float) Double.parseDouble(expected.get(column).asText());
                float came = out.getAtIndex(ValueLayout.JAVA_FLOAT, column);
                assertThat(apart(came, wanted))
                        .as("%s of %s: %s, expected %s", golden.name(), value, came, wanted)
                        .isLessThanOrEqualTo(golden.ulps());
            }
        }
    }

    /// How many floats two are apart.
    private static long apart(float a, float b) {
        if (Float.isNaN(a) || Float.isNaN(b)) {
            return Float.isNaN(a) && Float.isNaN(b) ? 0 : Long.MAX_VALUE;
        }
        return Math.abs(ordered(a) - ordered(b));
    }

    private static long ordered(float value) {
        int bits = Float.floatToRawIntBits(value);
        return bits < 0 ? -(long) (bits & Integer.MAX_VALUE) - 1 : bits;
    }

    @Test
    void shouldSeeDifferencesOfOneBit() {
        assertThat(apart(1, Math.nextUp(1f))).isEqualTo(1);
        assertThat(apart(0f, -0f)).isEqualTo(1);
        assertThat(apart(Float.NaN, 1)).isEqualTo(Long.MAX_VALUE);
        assertThat(apart(-Float.MIN_VALUE, Float.MIN_VALUE)).isEqualTo(3);
    }
}
