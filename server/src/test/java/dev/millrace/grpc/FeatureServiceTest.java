// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import dev.millrace.grpc.message.FeastServing.FeatureList;
import dev.millrace.grpc.message.FeastServing.FieldStatus;
import dev.millrace.grpc.message.FeastServing.GetFeastServingInfoResponse;
import dev.millrace.grpc.message.FeastServing.GetOnlineFeaturesRequest;
import dev.millrace.grpc.message.FeastServing.GetOnlineFeaturesResponse;
import dev.millrace.grpc.message.FeastServing.GetOnlineFeaturesResponse.FeatureVector;
import dev.millrace.grpc.message.FeastTypes.RepeatedValue;
import dev.millrace.grpc.message.FeastTypes.Value;
import dev.millrace.json.JsonWriter;
import dev.millrace.server.Bodies;
import dev.millrace.server.TestServer;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Stored features by gRPC, as Feast's servers answer: the same as by HTTP.
class FeatureServiceTest {
    private static final long NEW_YEAR = 1_767_225_600_000_000L;
    private static final int ENTITIES = 40;
    private static final List<String> FIELDS = List.of("rate", "mean", "trips", "total", "active", "seen", "city");

    @TempDir
    static Path temp;

    private static EmbeddedStore store;
    private static TestServer server;
    private static GrpcClient client;

    @BeforeAll
    static void start() throws IOException {
        store = EmbeddedStore.open(
                temp.resolve("store"),
                StoreOptions.DEFAULT,
                ViewSchema.parse("""
                    view drivers
                    key driver_id int64
                    field rate float32
                    field mean float64
                    field trips int32
                    field total int64
                    field active bool
                    field seen timestamp
                    field city string(20)
                    """),
                ViewSchema.parse("view shops\nkey shop string(16)\nfield orders int64\nfield rate float64\n"));
        fill(new SplittableRandom(7));
        server = TestServer.start(
                repository(),
                config -> config.withGrpcPort(0).withRuntime(config.runtime().withFeatureStore(store)));
        client = new GrpcClient(server);
    }

    /// A model whose stored features may be as old as is said there, so that some are too old.
    private static Path repository() throws IOException {
        Path version = Files.createDirectories(temp.resolve("models/ranking/1"));
        Files.copy(TestServer.models().resolve("linear/1/model.onnx"), version.resolve("model.onnx"));
        Files.writeString(version.resolve("features.yaml"), """
            apiVersion: v1
            kind: FeaturePipeline
            name: ranking
            version: 1
            entities: [{name: shop, join_keys: [shop], type: string}]
            sources:
              shops:
                kind: store
                entity: shop
                ttl: 2h
                fields: [{name: orders, type: int64}, {name: rate, type: float64}]
            request: [{name: shop, type: string}, {name: amount, type: float64}]
            features:
              - {name: all, inputs: [shops.rate, amount, amount, amount], transform: [concat]}
            output: {tensor: x, type: float32, layout: row}
            """);
        return temp.resolve("models");
    }

    private static void fill(SplittableRandom random) throws IOException {
        View drivers = store.view("drivers");
        View shops = store.view("shops");
        WriteBatch batch = new WriteBatch();
        for (int i = 0; i < ENTITIES; i += 2) {
            batch.row(drivers, i - 3, random.nextLong(-5_000_000, NEW_YEAR), NEW_YEAR);
            for (int field = 0; field < FIELDS.size(); field++) {
                if (random.nextInt(4) > 0) {
                    put(batch, field, random);
                }
            }
            long now = Instant.now().toEpochMilli() * 1000;
            batch.row(shops, "s\u00e9" + i, random.nextBoolean() ? NEW_YEAR : now + 3_600_000_000L, NEW_YEAR);
            if (random.nextBoolean()) {
                batch.putLong(0, random.nextLong());
            }
        }
        // Values whose bytes are known.
        batch.row(drivers, 1001, 1_000_000_000L, NEW_YEAR)
                .putFloat(0, 0.5f)
                .putDouble(1, 0.5)
                .putInt(2, 0)
                .putLong(3, 1001)
                .putBoolean(4, false);
        store.write(batch);
    }

    private static void put(WriteBatch batch, int field, SplittableRandom random) {
        switch (field) {
            case 0 -> batch.putFloat(field, Float.intBitsToFloat(random.nextInt()));
            case 1 -> batch.putDouble(field, Double.longBitsToDouble(random.nextLong()));
            case 2 -> batch.putInt(field, random.nextInt() >> random.nextInt(32));
            case 3 -> batch.putLong(field, random.nextLong() >> random.nextInt(64));
            case 4 -> batch.putBoolean(field, random.nextBoolean());
            case 5 -> batch.putLong(field, random.nextLong(-NEW_YEAR, NEW_YEAR));
            default ->
                batch.putString(
                        field, List.of("", "Z\u00fcrich", "\ud83d\ude80\n\"x\\").get(random.nextInt(3)));
        }
    }

    @AfterAll
    static void stop() throws IOException {
        client.close();
        // The server looks at all native memory of the process when it closes.
        store.close();
        server.close();
    }

    @Test
    void shouldAnswerAsHttpDoes() throws InvalidProtocolBufferException {
        SplittableRandom random = new SplittableRandom(11);
        StringBuilder seen = new StringBuilder();
        for (int round = 0; round < 200; round++) {
            GetOnlineFeaturesRequest request = request(random, round % 20 == 0 ? 700 : 1 + random.nextInt(6));
            String http = server.post("/get-online-features", json(request)).body();
            byte[] answer = ask(request.toByteArray());

            GetOnlineFeaturesResponse message = GetOnlineFeaturesResponse.parseFrom(answer);
            assertThat(json(message)).as("%s", request).isEqualTo(http);
            assertThat(message.toByteArray()).isEqualTo(answer);
            seen.append(http);
        }
        assertThat(seen).contains("PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE");
    }

    private static GetOnlineFeaturesRequest request(SplittableRandom random, int rows) {
        GetOnlineFeaturesRequest.Builder request = GetOnlineFeaturesRequest.newBuilder();
        request.setFullFeatureNames(random.nextBoolean());
        boolean drivers = random.nextInt(4) > 0;
        if (drivers) {
            RepeatedValue.Builder keys = RepeatedValue.newBuilder();
            for (int row = 0; row < rows; row++) {
                keys.addVal(
                        random.nextInt(9) == 0
                                ? Value.newBuilder()
                                : Value.newBuilder().setInt64Val(random.nextInt(ENTITIES) - 3));
            }
            request.putEntities("driver_id", keys.build());
            FeatureList.Builder features = FeatureList.newBuilder();
            List<String> fields =
                    FIELDS.stream().filter(_ -> random.nextBoolean()).collect(Collectors.toList());
            Collections.rotate(fields, random.nextInt(3));
            fields.forEach(field -> features.addVal("drivers:" + field));
            request.setFeatures(features.addVal("shops:orders"));
        } else {
            request.setFeatureService("ranking");
        }
        RepeatedValue.Builder keys = RepeatedValue.newBuilder();
        for (int row = 0; row < rows; row++) {
            keys.addVal(Value.newBuilder().setStringVal("s\u00e9" + random.nextInt(ENTITIES)));
        }
        return request.putEntities("shop", keys.build()).build();
    }

    private static String json(GetOnlineFeaturesRequest request) {
        JsonWriter json = new JsonWriter().raw("{\"full_feature_names\":").bool(request.getFullFeatureNames());
        if (request.hasFeatures()) {
            json.raw(",\"features\":[")
                    .raw(request.getFeatures().getValList().stream()
                            .map(name -> '"' + name + '"')
                            .collect(Collectors.joining(",")))
                    .raw("]");
        } else {
            json.raw(",\"feature_service\":").string(request.getFeatureService());
        }
        json.raw(",\"entities\":{");
        String separator = "";
        for (var entity : request.getEntitiesMap().entrySet()) {
            json.raw(separator).string(entity.getKey()).raw(":");
            values(json, entity.getValue().getValList());
            separator = ",";
        }
        return text(json.raw("}}"));
    }

    private static String json(GetOnlineFeaturesResponse message) {
        JsonWriter json = new JsonWriter().raw("{\"metadata\":{\"feature_names\":[");
        String separator = "";
        for (String name : message.getMetadata().getFeatureNames().getValList()) {
            json.raw(separator).string(name);
            separator = ",";
        }
        json.raw("]},\"results\":[");
        separator = "";
        for (FeatureVector vector : message.getResultsList()) {
            values(json.raw(separator).raw("{\"values\":"), vector.getValuesList());
            strings(
                    json.raw(",\"statuses\":["),
                    vector.getStatusesList().stream().map(FieldStatus::name));
            strings(
                    json.raw("],\"event_timestamps\":["),
                    vector.getEventTimestampsList().stream().map(FeatureServiceTest::time));
            json.raw("]}");
            separator = ",";
        }
        return text(json.raw("]}"));
    }

    private static String time(Timestamp time) {
        return Instant.ofEpochSecond(time.getSeconds(), time.getNanos()).toString();
    }

    private static void strings(JsonWriter json, Stream<String> texts) {
        json.raw(texts.map(text -> '"' + text + '"').collect(Collectors.joining(",")));
    }

    private static void values(JsonWriter json, List<Value> values) {
        json.raw("[");
        String separator = "";
        for (Value value : values) {
            json.raw(separator);
            switch (value.getValCase()) {
                case STRING_VAL -> json.string(value.getStringVal());
                case INT32_VAL -> json.number(value.getInt32Val());
                case INT64_VAL -> json.number(value.getInt64Val());
                case DOUBLE_VAL -> json.number(value.getDoubleVal());
                case FLOAT_VAL -> json.number(value.getFloatVal());
                case BOOL_VAL -> json.bool(value.getBoolVal());
                case UNIX_TIMESTAMP_VAL -> json.number(value.getUnixTimestampVal());
                case NULL_VAL, VAL_NOT_SET -> json.raw("null");
            }
            separator = ",";
        }
        json.raw("]");
    }

    private static String text(JsonWriter json) {
        return new String(json.toBytes(), StandardCharsets.UTF_8);
    }

    private static byte[] ask(byte[] request) {
        return ClientCalls.blockingUnaryCall(
                client.channel(),
                GrpcFuzzTest.unary(FeatureService.SERVICE + "/GetOnlineFeatures"),
                CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS),
                request);
    }

    private static GetOnlineFeaturesRequest.Builder drivers(String... fields) {
        FeatureList.Builder features = FeatureList.newBuilder();
        Arrays.stream(fields).forEach(field -> features.addVal("drivers:" + field));
        return GetOnlineFeaturesRequest.newBuilder().setFeatures(features);
    }

    private static RepeatedValue keys(long... keys) {
        RepeatedValue.Builder column = RepeatedValue.newBuilder();
        Arrays.stream(keys).forEach(key -> column.addVal(Value.newBuilder().setInt64Val(key)));
        return column.build();
    }

    /// 1001 is 20e907, a double of 0.5 29000000000000e03f, a float 350000003f, 1000 seconds 08e807; zeros are written,
    /// and what is null has no bytes.
    @Test
    void shouldWriteBytesThatAreKnown() {
        byte[] answer = ask(drivers("rate", "mean", "trips", "total", "active", "seen")
                .putEntities("driver_id", keys(1001))
                .build()
                .toByteArray());
        String present = "120101" + "1a0308e807";
        assertThat(HexFormat.of().formatHex(answer))
                .endsWith("120a" + "0a0320e907" + "120101" + "1a00"
                        + "120f" + "0a05350000003f" + present
                        + "1213" + "0a0929000000000000e03f" + present
                        + "120c" + "0a021800" + present
                        + "120d" + "0a0320e907" + present
                        + "120c" + "0a023800" + present
                        + "120a" + "0a00" + "120102" + "1a0308e807")
                .startsWith("0a350a33" + "0a09" + hex("driver_id") + "0a04" + hex("rate"));
    }

    private static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.US_ASCII));
    }

    /// A key is told as it came, and found whatever whole number it came as.
    @Test
    void shouldFindKeysOfThirtyTwoBits() throws InvalidProtocolBufferException {
        GetOnlineFeaturesResponse answer = GetOnlineFeaturesResponse.parseFrom(ask(drivers("total")
                .putEntities(
                        "driver_id",
                        RepeatedValue.newBuilder()
                                .addVal(Value.newBuilder().setInt32Val(1001))
                                .build())
                .putRequestContext("amount", keys(1, 2, 3))
                .build()
                .toByteArray()));
        assertThat(answer.getResults(0).getValues(0).getInt32Val()).isEqualTo(1001);
        assertThat(answer.getResults(1).getValues(0).getInt64Val()).isEqualTo(1001);
    }

    @Test
    void shouldSayWhatIsWrong() {
        refused(Status.Code.INVALID_ARGUMENT, drivers("total"), "entities is empty, expected a RepeatedValue for each");
        refused(
                Status.Code.INVALID_ARGUMENT,
                drivers().putEntities("driver_id", keys(1)),
                "features is empty, expected at least one view:feature");
        refused(
                Status.Code.INVALID_ARGUMENT,
                GetOnlineFeaturesRequest.newBuilder().putEntities("driver_id", keys(1)),
                "neither features nor feature_service came");
        refused(
                Status.Code.INVALID_ARGUMENT,
                drivers("total").putEntities("driver", keys(1)),
                "entities has [driver], expected 'driver_id' for view 'drivers'");
        refused(
                Status.Code.INVALID_ARGUMENT,
                drivers("total").putEntities("driver_id", keys(1)).putEntities("shop", keys(1, 2)),
                "values, expected");
        refused(
                Status.Code.INVALID_ARGUMENT,
                drivers("total")
                        .putEntities(
                                "driver_id",
                                RepeatedValue.newBuilder()
                                        .addVal(Value.newBuilder().setStringVal("a"))
                                        .build()),
                "entities.driver_id[0] is 'a', expected an integer for the key of view 'drivers'");
        refused(
                Status.Code.NOT_FOUND,
                drivers("speed").putEntities("driver_id", keys(1)),
                "view 'drivers' has no feature 'speed'");
        refused(
                Status.Code.NOT_FOUND,
                GetOnlineFeaturesRequest.newBuilder().setFeatureService("rank").putEntities("driver_id", keys(1)),
                "there is no feature service 'rank', but [ranking]");
        refused(
                Status.Code.RESOURCE_EXHAUSTED,
                drivers("total").putEntities("driver_id", keys(new long[200_000])),
                "400000 values were asked for, expected at most 262144");
        refused(
                Status.Code.RESOURCE_EXHAUSTED,
                drivers("total").putEntities("driver_id", keys(new long[2_200_000])),
                "the message has more than 8388608 bytes");
    }

    private static void refused(Status.Code code, GetOnlineFeaturesRequest.Builder request, String message) {
        StatusRuntimeException refusal = catchThrowableOfType(
                StatusRuntimeException.class, () -> ask(request.build().toByteArray()));
        assertThat(refusal).isNotNull();
        assertThat(refusal.getStatus().getDescription()).contains(message);
        assertThat(refusal.getStatus().getCode()).isEqualTo(code);
    }

    @Test
    void shouldSayWhatItIs() throws InvalidProtocolBufferException {
        byte[] answer = ClientCalls.blockingUnaryCall(
                client.channel(),
                GrpcFuzzTest.unary(FeatureService.SERVICE + "/GetFeastServingInfo"),
                CallOptions.DEFAULT.withDeadlineAfter(60, TimeUnit.SECONDS),
                new byte[0]);
        assertThat(GetFeastServingInfoResponse.parseFrom(answer).getVersion()).isNotEmpty();
        assertThat(server.post("/get-online-features", Bodies.json("{}")).status())
                .isEqualTo(400);
    }
}
