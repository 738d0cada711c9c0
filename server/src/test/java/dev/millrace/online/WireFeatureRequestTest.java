// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.millrace.grpc.message.FeastServing.FeatureList;
import dev.millrace.grpc.message.FeastServing.GetOnlineFeaturesRequest;
import dev.millrace.grpc.message.FeastTypes.Null;
import dev.millrace.grpc.message.FeastTypes.RepeatedValue;
import dev.millrace.grpc.message.FeastTypes.Value;
import dev.millrace.protocol.Refusal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Requests for features read from the wire, beside the reader that protobuf generates.
class WireFeatureRequestTest {
    private static final int ROUNDS = 200_000;
    private static final long SEED = 20_262;

    private static final GetOnlineFeaturesRequest REQUEST = GetOnlineFeaturesRequest.newBuilder()
            .setFeatures(FeatureList.newBuilder().addVal("drivers:rate").addVal("stores:caf\u00e9"))
            .putEntities(
                    "driver_id",
                    column(
                            Value.newBuilder().setInt64Val(1001),
                            Value.newBuilder().setInt32Val(-7),
                            Value.newBuilder(),
                            Value.newBuilder().setNullVal(Null.NULL)))
            .putEntities(
                    "store",
                    column(
                            Value.newBuilder().setStringVal("Z\u00fcrich"),
                            Value.newBuilder().setDoubleVal(0.5),
                            Value.newBuilder().setFloatVal(0.25f),
                            Value.newBuilder().setBoolVal(true)))
            .setFullFeatureNames(true)
            .putRequestContext("amount", column(Value.newBuilder().setInt64Val(3)))
            .build();

    private static RepeatedValue column(Value.Builder... values) {
        RepeatedValue.Builder column = RepeatedValue.newBuilder();
        Arrays.stream(values).forEach(column::addVal);
        return column.build();
    }

    @Test
    void shouldReadEveryField() {
        FeatureRequest read = WireFeatureRequest.request(REQUEST.toByteArray());

        assertThat(read.references()).containsExactly("drivers:rate", "stores:caf\u00e9");
        assertThat(read.service()).isNull();
        assertThat(read.fullNames()).isTrue();
        assertThat(read.entities()).containsOnlyKeys("driver_id", "store");
        assertThat(read.entities().get("driver_id")).containsExactly(1001L, -7, null, null);
        assertThat(read.entities().get("store")).containsExactly("Z\u00fcrich", 0.5, 0.25f, true);
        assertThat(WireFeatureRequest.request(GetOnlineFeaturesRequest.newBuilder()
                                .setFeatureService("ranking")
                                .putEntities("a", RepeatedValue.getDefaultInstance())
                                .build()
                                .toByteArray())
                        .service())
                .isEqualTo("ranking");
    }

    /// Bytes that Feast's clients send: 1001 is 20e907, 0.5 as a double 29000000000000e03f, as a float 350000003f.
    @Test
    void shouldReadBytesThatAreKnown() {
        String values = "0a0320e907" + "0a0929000000000000e03f" + "0a05350000003f" + "0a00" + "0a03980100";
        String entry = "0a016b" + "12" + size(values) + values;
        String bytes = "0a0173" + "1a" + size(entry) + entry + "2001";
        FeatureRequest read = WireFeatureRequest.request(HexFormat.of().parseHex(bytes));

        assertThat(read.service()).isEqualTo("s");
        assertThat(read.fullNames()).isTrue();
        assertThat(read.entities().get("k")).containsExactly(1001L, 0.5, 0.5f, null, null);
    }

    private static String size(String hex) {
        return HexFormat.of().toHexDigits((byte) (hex.length() / 2));
    }

    /// Fields may come in any order: an entry's values before its key, and of two kinds the last one counts.
    @Test
    void shouldReadFieldsInAnyOrder() {
        String entry = "1205" + "0a03" + "20e907" + "0a016b";
        String bytes = "1a" + size(entry) + entry + "12050a03613a62" + "0a0173" + "12050a03633a64";
        FeatureRequest read = WireFeatureRequest.request(HexFormat.of().parseHex(bytes));

        assertThat(read.service()).isNull();
        assertThat(read.references()).containsExactly("c:d");
        assertThat(read.entities().get("k")).containsExactly(1001L);
    }

    @Test
    void shouldSayWhatIsWrong() {
        refused("", "neither features nor feature_service came, expected one of them");
        refused("1200", "features is empty, expected at least one view:feature");
        refused("0a0173", "entities is empty, expected a RepeatedValue for each join key");
        refused("0a017", "expected");
        refused("0a0173" + "1a0a" + "0a016b" + "1205" + "0a03" + "0a0161", "entities.k[0] is field 1 of Value");
        refused("0a0173" + "1a03" + "0a016b" + "1a03" + "0a016b", "entities.k came twice");
        refused(
                "0a0173" + "1a03" + "0a016b" + "1a07" + "0a016c" + "12020a00",
                "entities.l has 1 values, expected 0 as those before it have");
        refused("0a01ff", "feature_service is no UTF-8");
        refused("0a8102" + "61".repeat(257), "feature_service has 257 characters, expected a name of at most 256");
        refused("0a05", "malformed protobuf");
    }

    private static void refused(String hex, String message) {
        byte[] bytes = HexFormat.of().parseHex(hex.length() % 2 == 0 ? hex : hex.substring(1));
        Refusal refusal = catchThrowableOfType(Refusal.class, () -> WireFeatureRequest.request(bytes));
        assertThat(refusal).as(hex).isNotNull();
        assertThat(refusal).hasMessageContaining(hex.length() % 2 == 0 ? message : "");
    }

    /// Whatever is taken is what the reader that protobuf generates takes; anything else is a refusal.
    @Test
    void shouldReadDamagedRequestsAsProtobufDoesOrRefuseThem() {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] whole = REQUEST.toByteArray();
        int taken = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = damaged(whole, random);
            FeatureRequest read;
            try {
                read = WireFeatureRequest.request(bytes);
            } catch (Refusal _) {
                continue;
            }
            GetOnlineFeaturesRequest expected;
            try {
                // By way of a message without a class: classes keep a list that came before the name of a service.
                expected = GetOnlineFeaturesRequest.parseFrom(
                        DynamicMessage.parseFrom(GetOnlineFeaturesRequest.getDescriptor(), bytes)
                                .toByteArray());
            } catch (InvalidProtocolBufferException _) {
                // It looks into what is passed over here.
                continue;
            }
            taken++;
            assertThat(read).as(HexFormat.of().formatHex(bytes)).isEqualTo(request(expected));
        }
        assertThat(taken).isBetween(ROUNDS / 20, ROUNDS - 1);
    }

    private static byte[] damaged(byte[] whole, SplittableRandom random) {
        byte[] bytes = whole.clone();
        for (int times = random.nextInt(1, 4); times > 0; times--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(3)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt(256);
                default -> bytes = Arrays.copyOf(bytes, Math.max(1, random.nextInt(4) == 0 ? at : bytes.length));
            }
        }
        return bytes;
    }

    private static FeatureRequest request(GetOnlineFeaturesRequest message) {
        Map<String, List<Object>> entities = new LinkedHashMap<>();
        message.getEntitiesMap().forEach((key, column) -> {
            List<Object> values = new ArrayList<>();
            column.getValList().forEach(value -> values.add(value(value)));
            entities.put(key, values);
        });
        boolean service = message.getKindCase() == GetOnlineFeaturesRequest.KindCase.FEATURE_SERVICE;
        return new FeatureRequest(
                service ? null : List.copyOf(message.getFeatures().getValList()),
                service ? message.getFeatureService() : null,
                entities,
                message.getFullFeatureNames());
    }

    private static Object value(Value value) {
        return switch (value.getValCase()) {
            case STRING_VAL -> value.getStringVal();
            case INT32_VAL -> value.getInt32Val();
            case INT64_VAL -> value.getInt64Val();
            case DOUBLE_VAL -> value.getDoubleVal();
            case FLOAT_VAL -> value.getFloatVal();
            case BOOL_VAL -> value.getBoolVal();
            case UNIX_TIMESTAMP_VAL, NULL_VAL, VAL_NOT_SET -> null;
        };
    }
}
