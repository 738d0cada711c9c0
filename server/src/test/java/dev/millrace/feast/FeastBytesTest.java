// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.feast.JoinKey.Type;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Bytes of Feast's own tests, and others that were worked out by a second implementation of its formats in Python.
class FeastBytesTest {
    private static final HexFormat HEX = HexFormat.of();

    private static String key(KeyVersion version, String project, List<JoinKey> keys, Object... values) {
        return HEX.formatHex(new EntityKeys(version, project, keys).key(values));
    }

    @Test
    void shouldWriteKeysAsFeastDoes() {
        JoinKey driver = new JoinKey("driver_id", Type.INT64);
        assertThat(key(KeyVersion.V3, "test", List.of(new JoinKey("entity", Type.INT32)), 1L))
                .isEqualTo("010000000200000006000000656e746974790300000004000000" + "0100000074657374");
        assertThat(key(KeyVersion.V3, "", List.of(driver), 1001L))
                .isEqualTo("0100000002000000090000006472697665725f69640400000008000000e903000000000000");
        assertThat(key(KeyVersion.V3, "feature_repo", List.of(driver), 1001L))
                .isEqualTo("0100000002000000090000006472697665725f69640400000008000000e903000000000000"
                        + "666561747572655f7265706f");
        assertThat(key(KeyVersion.V2, "feature_repo", List.of(driver), 1001L))
                .isEqualTo("020000006472697665725f69640400000008000000e903000000000000666561747572655f7265706f");
        assertThat(key(
                        KeyVersion.V3,
                        "p",
                        List.of(new JoinKey("user", Type.INT64), new JoinKey("customer", Type.STRING)),
                        32768L,
                        "test"))
                .isEqualTo("020000000200000008000000637573746f6d65720200000004000000757365720200000004000000"
                        + "746573740400000008000000008000000000000070");
        assertThat(key(KeyVersion.V3, "p", List.of(new JoinKey("city", Type.STRING)), "Zürich"))
                .isEqualTo("0100000002000000040000006369747902000000070000005ac3bc7269636870");
        assertThat(key(KeyVersion.V3, "", List.of())).isEqualTo("00000000");
    }

    @Test
    void shouldSortJoinKeysByCodePoints() {
        String beyond = "\uD83D\uDE00";
        String before = "\uFF5E";
        assertThat(beyond.compareTo(before)).isNegative();
        String came = key(
                KeyVersion.V2,
                "",
                List.of(new JoinKey(beyond, Type.STRING), new JoinKey(before, Type.STRING)),
                "x",
                "y");
        assertThat(came.indexOf("efbd9e")).isLessThan(came.indexOf("f09f9880"));
        assertThat(came).endsWith("020000000100000079" + "020000000100000078");
    }

    @Test
    void shouldRefuseOtherKeys() {
        EntityKeys keys = new EntityKeys(KeyVersion.V3, "p", List.of(new JoinKey("a", Type.INT32)));
        assertThatThrownBy(() -> keys.key(1L << 31)).hasMessage("2147483648 came, expected an integer of 32 bits");
        assertThatThrownBy(() -> keys.key("1")).hasMessage("1 came, expected an integer of 32 bits");
        assertThatThrownBy(() -> KeyVersion.of(1))
                .hasMessage("entity_key_serialization_version 1 came, expected 3, or 2 for old stores");
    }

    @ParameterizedTest
    @CsvSource({
        "feature_view_1,feature_10,266d5f39",
        "feature_view_1,feature_11,c3379abf",
        "feature_view_1,feature_12,7772b564",
        "feature_view_1,my-feature-view:feature1,5369864a",
        "driver_hourly_stats,conv_rate,6160e3da",
        "driver_hourly_stats,acc_rate,fa5e58ad",
        "driver_hourly_stats,avg_daily_trips,18a5e5a3",
        "用户,ID,9fcb4d54",
    })
    void shouldNameFieldsAsFeastDoes(String view, String field, String hash) {
        assertThat(HEX.formatHex(FeastView.field(view, field))).isEqualTo(hash);
    }

    @Test
    void shouldNameTheTimeBehindTheFields() {
        byte[][] names = new FeastView("v", List.of(), List.of("a", "b")).hashFields();
        assertThat(names).hasNumberOfRows(3);
        assertThat(new String(names[2], StandardCharsets.UTF_8)).isEqualTo("_ts:v");
    }

    private static Object value(String hex) {
        return FeastValue.decode(HEX.parseHex(hex));
    }

    @Test
    void shouldReadValues() {
        assertThat(value("")).isNull();
        assertThat(value("980100")).isNull();
        assertThat(value("20e907")).isEqualTo(1001L);
        assertThat(value("1800")).isEqualTo(0);
        assertThat(value("18ffffffffffffffffff01")).isEqualTo(-1);
        assertThat(value("29000000000000e03f")).isEqualTo(0.5);
        assertThat(value("350000003f")).isEqualTo(0.5f);
        assertThat(value("3801")).isEqualTo(true);
        assertThat(value("3800")).isEqualTo(false);
        assertThat(value("1207" + "5ac3bc72696368")).isEqualTo("Zürich");
        assertThat(value("1200")).isEqualTo("");
        assertThat((byte[]) value("0a02ff00")).containsExactly(-1, 0);
        assertThat(value("40e807")).isEqualTo(new UnixTime(1000));
        assertThat(value("4080808080808080808001")).as("not a time").isNull();
    }

    @Test
    void shouldReadLists() {
        assertThat(value("82010a" + "0a08" + "0000003f" + "0000803f")).isEqualTo(List.of(0.5f, 1f));
        assertThat(value("82010a" + "0d0000003f" + "0d0000803f"))
                .as("not packed")
                .isEqualTo(List.of(0.5f, 1f));
        assertThat(value("7205" + "0a03" + "01e907")).isEqualTo(List.of(1L, 1001L));
        assertThat(value("6206" + "0a01" + "61" + "0a01" + "62")).isEqualTo(List.of("a", "b"));
        assertThat(value("6200")).isEqualTo(List.of());
    }

    @ParameterizedTest
    @ValueSource(strings = {"20", "1205aa", "2900", "82010a0a0800", "a20100", "2101", "ff", "0b", "1202ff41"})
    void shouldRefuseWhatIsNoValue(String hex) {
        assertThatThrownBy(() -> value(hex)).isInstanceOf(FeastFormatException.class);
    }

    @Test
    void shouldReadPrecomputedVectors() {
        String view = "0a01" + "76";
        String time = "1a08" + view + "1203" + "08e807";
        PrecomputedVector vector =
                PrecomputedVector.decode(HEX.parseHex("0a04" + "765f5f61" + "1203" + "20e907" + time + "2200"));
        assertThat(vector.names()).containsExactly("v__a");
        assertThat(FeastValue.decode(vector.values().getFirst())).isEqualTo(1001L);
        assertThat(vector.eventTimesMicros()).containsEntry("v", 1_000_000_000L);
        assertThatThrownBy(() -> PrecomputedVector.decode(HEX.parseHex("0a0161")))
                .hasMessage("a precomputed vector has 1 names and 0 values, expected as many");
    }

    @Test
    void shouldReadRows() {
        FeastRow row =
                new FeastRow(new byte[][] {HEX.parseHex("20e907"), {}, null}, HEX.parseHex("08e807" + "10" + "c0843d"));
        assertThat(row.isWritten()).isTrue();
        assertThat(row.eventTimeMicros()).isEqualTo(1_000_001_000L);
        assertThat(row.value(0)).isEqualTo(1001L);
        assertThat(row.isWritten(1)).isTrue();
        assertThat(row.value(1)).isNull();
        assertThat(row.isWritten(2)).isFalse();
        assertThat(new FeastRow(new byte[][] {null}, null).isWritten()).isFalse();
        assertThat(new FeastRow(new byte[][] {null}, new byte[0]).eventTimeMicros())
                .isZero();
    }
}
