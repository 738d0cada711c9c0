// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.features.FeatureStatus;
import dev.millrace.features.StoreSource;
import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.TensorSpec;
import dev.millrace.raw.RawRows;
import dev.millrace.raw.ServedPlan;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A model that is asked by raw values; its answers are the columns that were made of them.
class RawModelTest {
    private static final String HEAD = """
        apiVersion: v1
        kind: FeaturePipeline
        name: payments
        version: 3
        entities: [{name: user, join_keys: [user_id], type: int64}]
        sources:
          stats: {kind: store, entity: user, ttl: 1h, on_stale: serve_and_flag,
                  fields: [{name: mean, type: float64, default: 2}, {name: home, type: string}]}
        request:
          - {name: user_id, type: int64}
          - {name: amount, type: float64, required: true}
          - {name: country, type: string}
          - {name: web, type: bool}
        """;
    private static final String FEATURES = """
        features:
          - {name: amount, input: amount, transform: [{standardize: {mean: %s, std: 2}}],
             validate: [{between: {min: -10, max: 10}}]}
          - {name: country, input: country, transform: [{one_hot: {vocab: [CH, NL], unknown: ignore}}]}
          - {name: web, input: web, default: 0.5}
          - {name: mean, input: stats.mean}
          - {name: home, input: stats.home, transform: [{vocab: {values: [CH, NL], unknown: null}}], default: -1}
        output: {tensor: x, type: float32, layout: row}
        """;
    private static final int WIDTH = 6;
    private static final ViewSchema STATS = new ViewSchema(
            "stats",
            Field.of("user_id", FieldType.INT64),
            List.of(Field.of("mean", FieldType.FLOAT64), Field.string("home", 2)));
    private static final long HOUR = 3_600_000_000L;
    private static final long NOW = 1_700_000_000_000_000L;

    @TempDir
    private Path root;

    @TempDir
    private Path folder;

    private final long before = NativeMemory.used();
    private EmbeddedStore store;
    private Millrace millrace;

    @BeforeEach
    void fillStore() throws IOException {
        store = EmbeddedStore.open(folder, StoreOptions.DEFAULT, STATS);
        View stats = store.view("stats");
        WriteBatch batch = new WriteBatch();
        batch.row(stats, 7, NOW - HOUR / 2, NOW - HOUR / 2).putDouble(0, 50).putString(1, "NL");
        batch.row(stats, 8, NOW - 2 * HOUR, NOW - 2 * HOUR).putDouble(0, 60);
        store.write(batch);
    }

    @AfterEach
    void freeEverything() throws IOException {
        if (millrace != null) {
            millrace.close();
        }
        store.close();
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private void add(long version, float constant, String specification) throws IOException {
        Path made = Files.createDirectories(root.resolve("m/" + version));
        Files.writeString(made.resolve(FeatureSpec.FILE_NAME), specification);
        ConstantModel.add(root, "m", version, constant, WIDTH, "x");
    }

    private static String spec(int mean) {
        return HEAD + FEATURES.formatted(mean);
    }

    private Model open() {
        millrace = Millrace.open(config(), root);
        return millrace.model("m");
    }

    private RuntimeConfig config() {
        return RuntimeConfig.DEFAULT.withAgents(1).withFeatureStore(store);
    }

    private Model opened() throws IOException {
        add(1, 0, spec(10));
        return open();
    }

    private static float[] row(Call call, int row) {
        float[] columns = new float[WIDTH];
        call.output(0).getFloats((long) row * WIDTH, columns, 0, WIDTH);
        return columns;
    }

    @Test
    void shouldAnswerRawValuesByName() throws IOException {
        Model model = opened();
        assertThat(model.signature().inputs())
                .extracting(TensorSpec::toString)
                .containsExactly(
                        "TensorSpec[name=user_id, datatype=INT64, shape=[-1], optional=true]",
                        "TensorSpec[name=amount, datatype=FP64, shape=[-1], optional=false]",
                        "TensorSpec[name=country, datatype=BYTES, shape=[-1], optional=true]",
                        "TensorSpec[name=web, datatype=BOOL, shape=[-1], optional=true]");
        Prediction prediction = model.predict(model.request()
                .set("user_id", new Long[] {null, 99L})
                .set("amount", new double[] {14, 6})
                .set("country", new String[] {"NL", null})
                .set("web", true));
        assertThat(prediction.outputs()).extracting(Prediction.Output::name).containsExactly("y");
        assertThat(prediction.floats("y")).containsExactly(2, 0, 1, 1, 2, -1, -2, 0, 0, 1, 2, -1);
    }

    @Test
    void shouldAnswerByHandlesWithWhatIsStored() throws IOException {
        Model model = opened();
        try (Call call = model.call()) {
            RawRows rows = call.raw().requestTime(NOW).reporting(true).rows(3);
            int user = rows.field("user_id");
            int amount = rows.field("amount");
            rows.common(rows.field("country"), "CH").common(rows.field("web"), 0L);
            for (int i = 0; i < 3; i++) {
                rows.set(user, i, 7L + i).set(amount, i, 10.0 + i);
            }
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(row(call, 0)).containsExactly(0, 1, 0, 0, 50, 1);
            assertThat(row(call, 1)).containsExactly(0.5f, 1, 0, 0, 60, -1);
            assertThat(row(call, 2)).containsExactly(1, 1, 0, 0, 2, -1);
            assertThat(call.output(ServedPlan.DEGRADED).getLong(0)).isZero();
            assertThat(call.output(ServedPlan.DEGRADED).getLong(1)).isEqualTo(1);
            assertThat(call.output(ServedPlan.STATUS).keys().toString())
                    .isEqualTo("[amount, country, web, mean, home]");
            assertThat(call.output(ServedPlan.STATUS).getString(3)).isEqualTo("PRESENT");
            assertThat(call.output(ServedPlan.STATUS).getString(8)).isEqualTo("OUTSIDE_MAX_AGE");
            assertThat(call.output(ServedPlan.STATUS).getString(13)).isEqualTo("NOT_FOUND");
            assertThat(call.output(ServedPlan.AGE).getLong(3)).isEqualTo(HOUR / 2);
            assertThat(call.output(ServedPlan.AGE).getLong(8)).isEqualTo(2 * HOUR);
            assertThat(call.output(ServedPlan.AGE).getLong(0)).isEqualTo(FeatureRow.NO_AGE);
        }
        Map<FeatureStatus, Long> mean =
                millrace.features().getFirst().counts().features().get(3).statuses();
        assertThat(millrace.features().getFirst().counts().rows()).isEqualTo(3);
        assertThat(millrace.features().getFirst().counts().degraded()).isEqualTo(2);
        assertThat(mean).containsEntry(FeatureStatus.PRESENT, 1L).containsEntry(FeatureStatus.NOT_FOUND, 1L);
    }

    @Test
    void shouldGiveTheSameBitsForCommonValuesAsForRepeatedOnes() throws IOException {
        Model model = opened();
        FeaturePlan plan = FeaturePlan.compile(FeatureSpec.parse(spec(10), root));
        SplittableRandom random = new SplittableRandom(5);
        try (Call call = model.call();
                FeatureRow row = plan.newRow(new StoreSource(store));
                Arena arena = Arena.ofConfined()) {
            MemorySegment expected = arena.allocate(WIDTH * Float.BYTES);
            for (int round = 0; round < 300; round++) {
                int count = 1 + random.nextInt(6);
                RawRows rows =
                        call.raw().requestTime(NOW + random.nextLong(2 * HOUR)).rows(count);
                long time = NOW + random.nextLong(HOUR);
                rows.requestTime(time);
                // One of them tells how many rows there are.
                int commons = random.nextInt(16) & 0b1101;
                Object[][] values = new Object[4][count];
                for (int field = 0; field < 4; field++) {
                    for (int i = 0; i < count; i++) {
                        boolean common = (commons & 1 << field) != 0;
                        values[field][i] = common && i > 0 ? values[field][0] : value(field, random);
                        fill(rows, field, common ? -1 : i, values[field][i]);
                    }
                }
                assertThat(call.run()).isEqualTo(Outcome.OK);
                for (int i = 0; i < count; i++) {
                    row.begin(time);
                    for (int field = 0; field < 4; field++) {
                        set(row, field, values[field][i]);
                    }
                    assertThat(plan.write(row, expected, 0)).isTrue();
                    assertThat(row(call, i)).isEqualTo(expected.toArray(ValueLayout.JAVA_FLOAT));
                }
            }
        }
    }

    private static Object value(int field, SplittableRandom random) {
        return switch (field) {
            case 0 -> random.nextInt(3) == 0 ? null : (Object) (6L + random.nextInt(4));
            case 1 -> random.nextDouble(-9, 29);
            case 2 -> random.nextInt(3) == 0 ? null : List.of("CH", "NL", "").get(random.nextInt(3));
            default -> random.nextInt(3) == 0 ? null : (Object) random.nextLong(2);
        };
    }

    private static void fill(RawRows rows, int field, int row, Object value) {
        switch (value) {
            case null -> {
                if (row < 0) {
                    rows.inputs()[field].clear();
                }
            }
            case Double number when row < 0 -> rows.common(field, number);
            case Double number -> rows.set(field, row, number);
            case Long number when row < 0 -> rows.common(field, number);
            case Long number -> rows.set(field, row, number);
            default -> {
                if (row < 0) {
                    rows.common(field, value.toString());
                } else {
                    rows.set(field, row, value.toString());
                }
            }
        }
    }

    private static void set(FeatureRow row, int field, Object value) {
        switch (value) {
            case null -> row.setNull(field);
            case Double number -> row.set(field, number);
            case Long number -> row.set(field, number);
            default -> row.set(field, value.toString());
        }
    }

    @Test
    void shouldSayWhichRowAndFeatureIsWrong() throws IOException {
        Model model = opened();
        assertThatThrownBy(() -> model.predict(model.request().set("country", "CH")))
                .hasMessage("input 'amount' is missing");
        assertThatThrownBy(() -> model.predict(model.request().set("amount", new double[] {1, 100})))
                .isInstanceOf(InferenceException.class)
                .hasMessage("row 1: amount: 45.0 came, expected a number from -10.0 to 10.0");
        assertThatThrownBy(() -> model.predict(model.request().set("amount", new Double[] {null})))
                .hasMessage("amount: null came, expected float64");
        assertThatThrownBy(() -> model.predict(
                        model.request().set("amount", new double[] {1, 2}).set("country", new String[3])))
                .hasMessage("input 'country' has 3 values, expected one for each of 2 rows, or one for all");
        assertThatThrownBy(() -> model.predict(model.request().set("amount", new double[0])))
                .hasMessage("there is no row, expected at least one value in 4 inputs");
        assertThatThrownBy(() -> model.predict(model.request().set("amount", new double[100_000])))
                .isInstanceOfSatisfying(
                        InferenceException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.TOO_LARGE));
        try (Call call = model.call()) {
            RawRows rows = call.raw().rows(1);
            assertThatThrownBy(() -> rows.set(rows.field("amount"), 0, "much"))
                    .hasMessage("field 'amount' was given a text, expected float64");
            assertThatThrownBy(() -> rows.set(rows.field("country"), 0, 1.5))
                    .hasMessage("field 'country' was given 1.5, expected string");
            rows.set(rows.field("web"), 0, 2L);
            rows.set(rows.field("amount"), 0, 2.0);
            assertThat(call.run()).isEqualTo(Outcome.INVALID);
            assertThat(call.message()).isEqualTo("field 'web' was given 2, expected bool");
        }
        assertThat(millrace.features().getFirst().counts().rejected()).isEqualTo(3);
    }

    @Test
    void shouldGoOnWithTheNewPlanWhenAnotherVersionIsServed() throws IOException {
        Model model = opened();
        try (Call call = model.call()) {
            RawRows rows = call.raw().rows(1);
            rows.set(rows.field("amount"), 0, 14.0);
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(row(call, 0)[0]).isEqualTo(2);
            add(2, 100, spec(12));
            millrace.lifecycle().load("m");
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(call.version()).isEqualTo(2);
            assertThat(row(call, 0)[0]).isEqualTo(101);
            assertThat(millrace.status().getLast().metadata())
                    .containsEntry("features.name", "payments")
                    .containsKey("features.sha256");
            // The same model by another specification is another version, too.
            Files.writeString(root.resolve("m/2").resolve(FeatureSpec.FILE_NAME), spec(14));
            millrace.lifecycle().load("m");
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(row(call, 0)[0]).isEqualTo(100);
        }
    }

    @Test
    void shouldRefuseAVersionThatTakesOtherValues() throws IOException {
        Model model = opened();
        add(2, 100, spec(12).replace("name: web, type: bool", "name: web, type: int64"));
        assertThatThrownBy(() -> millrace.lifecycle().load("m"))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("web INT64[-1]")
                .hasMessageContaining("a load has to say that another contract is meant");
        Files.delete(root.resolve("m/2").resolve(FeatureSpec.FILE_NAME));
        assertThatThrownBy(() -> millrace.lifecycle().load("m"))
                .hasMessageContaining("its inputs are [x FP32[-1, 6]], those that are served [user_id");
        assertThat(model.predict(model.request().set("amount", 10.0)).floats("y")[0])
                .isZero();
    }

    @Test
    void shouldSayWhyASpecificationIsNotServed() throws IOException {
        add(1, 0, spec(10).replace("std: 2", "std: -2"));
        assertThat(problem()).contains("features.yaml:15:77", "std: -2.0 came, expected 0.0 at least");
        add(1, 0, spec(10).replace("tensor: x", "tensor: z"));
        assertThat(problem())
                .contains("features.yaml: output.tensor 'z' came, expected the model's only input, of [x]");
        add(1, 0, spec(10).replace("unknown: ignore", "unknown: bucket"));
        assertThat(problem()).contains("its 7 columns are FP32[-1, 7], expected FP32[-1, 6] for the model's input 'x'");
        add(1, 0, spec(10).replace("home, type: string", "home, type: int64").replace("CH, NL", "1, 2"));
        assertThat(problem()).contains("field 'home' of view 'stats' is string(2), expected int64");
        add(1, 0, spec(10));
        millrace.close();
        millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(1), root);
        assertThat(millrace.status().getFirst().reason())
                .contains("view 'stats' is stored, expected a source that has it");
    }

    @Test
    void shouldBeAStepOfAnEnsemble() throws IOException {
        add(1, 0, spec(10));
        Files.createDirectories(root.resolve("e/1"));
        Files.writeString(root.resolve("e/config.pbtxt"), """
            platform: "ensemble"
            input { name: "amounts" data_type: TYPE_FP64 dims: -1 }
            input { name: "countries" data_type: TYPE_STRING dims: -1 }
            input { name: "users" data_type: TYPE_INT64 dims: -1 }
            input { name: "webs" data_type: TYPE_BOOL dims: -1 }
            output { name: "columns" data_type: TYPE_FP32 dims: [ -1, 6 ] }
            ensemble_scheduling { step { model_name: "m" model_version: -1
              input_map { key: "amount" value: "amounts" } input_map { key: "country" value: "countries" }
              input_map { key: "user_id" value: "users" } input_map { key: "web" value: "webs" }
              output_map { key: "y" value: "columns" } } }
            """);
        millrace = Millrace.open(config(), root);
        Model ensemble = millrace.model("e");
        for (int round = 0; round < 3; round++) {
            float[] columns = ensemble.predict(ensemble.request()
                            .set("amounts", new double[] {14, 6})
                            .set("countries", new String[] {"NL", "CH"})
                            .set("users", new long[] {99, 99})
                            .set("webs", new boolean[] {true, false}))
                    .floats("columns");
            assertThat(columns).containsExactly(2, 0, 1, 1, 2, -1, -2, 1, 0, 0, 2, -1);
        }
        assertThatThrownBy(() -> ensemble.predict(ensemble.request()
                        .set("amounts", new double[] {600})
                        .set("countries", new String[] {"NL"})
                        .set("users", new long[] {99})
                        .set("webs", new boolean[] {true})))
                .hasMessageContaining("amount: 295.0 came, expected a number from -10.0 to 10.0");
    }

    /// The view that is there is not left open when another one is not.
    @Test
    void shouldHoldNothingWhenAViewIsNotThere() throws IOException {
        add(
                1,
                0,
                spec(10).replace(
                                "request:",
                                "  more: {kind: store, entity: user, fields: [{name: a, type: float64}]}\nrequest:")
                        .replace("input: web,", "input: more.a,"));
        long held = NativeMemory.used();
        assertThat(problem()).contains("features.yaml: there is no view 'more', but [stats]");
        millrace.close();
        assertThat(NativeMemory.used()).isEqualTo(held);
    }

    private String problem() {
        if (millrace != null) {
            millrace.close();
        }
        millrace = Millrace.open(config(), root);
        return millrace.status().getFirst().reason();
    }

    @Test
    void shouldAskGoldensByRawValues() throws IOException {
        add(1, 0, spec(10));
        Path goldens = Files.createDirectories(root.resolve("m/1/goldens"));
        String request = """
            {"inputs":[{"name":"amount","datatype":"FP64","shape":[2],"data":[14,6]},
             {"name":"country","datatype":"BYTES","shape":[2],"data":["NL",null]},
             {"name":"request_time","datatype":"INT64","shape":[1],"data":[1700000000000000]},
             {"name":"stats.mean","datatype":"FP64","shape":[1],"data":[33]},
             {"name":"stats.home","datatype":"BYTES","shape":[1],"data":["CH"]},
             {"name":"user_id","datatype":"INT64","shape":[1],"data":[1]}]}
            """;
        Files.writeString(goldens.resolve("one.request.json"), request);
        String answer = """
            {"outputs":[{"name":"y","datatype":"FP32","shape":[2,6],"data":[2,0,1,0.5,33,0, -2,0,0,0.5,33,%s]}]}
            """;
        Files.writeString(goldens.resolve("one.expected.json"), answer.formatted("0"));
        assertThat(problem()).isEmpty();
        assertThat(millrace.features().getFirst().counts().rows()).isZero();
        Files.writeString(goldens.resolve("one.expected.json"), answer.formatted("1"));
        assertThat(problem()).contains("goldens/one.expected.json: output 'y' element [1, 5] is 0.0, expected 1.0");
        Files.writeString(goldens.resolve("one.request.json"), request.replace("[14,6]", "[14,600]"));
        assertThat(problem()).contains("goldens/one: row 1: amount: 295.0 came, expected a number from -10.0 to 10.0");
    }
}
