// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.store.ViewSchema;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// From records to rows, and why some are none.
class RowReaderTest {
    private static final ViewSchema SCHEMA = ViewSchema.parse("""
        view v
        key id string(4)
        field x float64
        field f float32
        field n int32
        field total int64
        field on bool
        field seen timestamp
        field country string(3)
        """);
    private static final long TIMESTAMP = 5_000;
    private static final long NOW = 9_000_000;

    private static RowReader reader(
            ViewSchema schema, Map<String, String> columns, FeedConfig.Time event, FeedConfig.Time known)
            throws IOException {
        return RowReader.of(
                schema, Samples.config(schema.name(), columns, event, known), () -> Instant.ofEpochMilli(NOW / 1000));
    }

    private static ConsumerRecord<byte[], byte[]> record(byte[] key, String json) {
        byte[] value = json == null ? null : json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        return new ConsumerRecord<>(
                "t",
                0,
                0,
                TIMESTAMP,
                TimestampType.CREATE_TIME,
                -1,
                -1,
                key,
                value,
                new RecordHeaders(),
                Optional.empty());
    }

    @Test
    void shouldTakeTheRecordsTimestampAndTheTimeOfConsumingUnlessToldOtherwise() throws IOException {
        UpdateRow row = reader(SCHEMA, Map.of(), null, null)
                .read(record(null, "{'id':'a','x':1,'f':0.1,'n':2,'total':3,'on':false,'seen':7,'country':'CH'}"));

        assertThat(row.key()).isEqualTo("a");
        assertThat(row.eventTime()).isEqualTo(TIMESTAMP * 1000);
        assertThat(row.availabilityTime()).isEqualTo(NOW);
        assertThat(row.values()).containsExactly(1.0, 0.1f, 2, 3L, false, 7L, "CH");
    }

    @Test
    void shouldTakeColumnsFromWhereTheConfigurationSays() throws IOException {
        RowReader reader = reader(
                SCHEMA,
                Map.of("id", "key.id", "x", "after.amount"),
                new FeedConfig.Time("at.event", EpochUnit.SECONDS),
                new FeedConfig.Time("at.written", EpochUnit.MILLIS));
        UpdateRow row = reader.read(record(
                null, "{'key':{'id':'b'},'after':{'amount':2.5},'at':{'event':1.5,'written':'1970-01-01 00:00:02'}}"));

        assertThat(row.key()).isEqualTo("b");
        assertThat(row.eventTime()).isEqualTo(1_500_000);
        assertThat(row.availabilityTime()).isEqualTo(2_000_000);
        assertThat(row.values()).containsExactly(2.5, null, null, null, null, null, null);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                          | id: nothing came, expected the key 'id' of type string(4)",
                "{'id':null}                 | id: nothing came",
                "{'id':17}                   | id is 17, expected a string",
                "{'id':'abcde'}              | id is 'abcde' with 5 bytes, expected at most 4",
                "{'id':'\u00e4\u00f6\u00fc'} | with 6 bytes, expected at most 4",
                "{'id':'a','x':'1'}          | x is '1', expected a number",
                "{'id':'a','f':1e300}        | f is 1.0E300, expected what a float of 32 bits holds",
                "{'id':'a','n':1.0}          | n is 1.0, expected an integer",
                "{'id':'a','n':2147483648}   | n is 2147483648, expected an integer of 32 bits",
                "{'id':'a','total':true}     | total is true, expected an integer",
                "{'id':'a','on':1}           | on is 1, expected true or false",
                "{'id':'a','seen':'monday'}  | seen is 'monday', expected a time like 2026-01-31T12:00:00Z, or micros",
                "{'id':'a','country':'ABCD'} | country is 'ABCD' with 4 bytes, expected at most 3",
                "{'id':'a','country':[1]}    | country is an array, expected a single value",
                "nonsense                    | malformed JSON",
            })
    void shouldSayWhyARecordIsNoRow(String json, String reason) throws IOException {
        RowReader reader = reader(SCHEMA, Map.of(), null, null);

        assertThatThrownBy(() -> reader.read(record(null, json)))
                .isInstanceOf(MessageException.class)
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "MICROS  | 1500000                         | 1500000",
                "MILLIS  | 1500                            | 1500000",
                "SECONDS | 1                               | 1000000",
                "SECONDS | 1.5                             | 1500000",
                "MICROS  | '1970-01-01T00:00:01.5Z'        | 1500000",
                "MICROS  | '1970-01-01T01:00:01.5+01:00'   | 1500000",
                "MICROS  | '1970-01-01T00:00:01.5'         | 1500000",
                "MICROS  | -1                              | -1",
            })
    void shouldReadTimes(EpochUnit unit, String value, long micros) throws IOException {
        UpdateRow row = reader(SCHEMA, Map.of(), new FeedConfig.Time("at", unit), null)
                .read(record(null, "{'id':'a','at':" + value + "}"));

        assertThat(row.eventTime()).isEqualTo(micros);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "'x'", "true", "9223372036854775807", "1e300"})
    void shouldSayWhatIsNoTime(String value) throws IOException {
        RowReader reader = reader(SCHEMA, Map.of(), new FeedConfig.Time("at", EpochUnit.MILLIS), null);

        assertThatThrownBy(() -> reader.read(record(null, "{'id':'a','at':" + value.replace("'", "\"") + "}")))
                .hasMessageContaining("at is ", ", expected a time like 2026-01-31T12:00:00Z, or millis since 1970");
    }

    @Test
    void shouldDeleteByTheKeyOfARecordWithoutAValue() throws IOException {
        UpdateRow row = Samples.tombstones(SCHEMA, FeedConfig.KeyForm.TEXT)
                .read(record("a".getBytes(StandardCharsets.UTF_8), null));

        assertThat(row.key()).isEqualTo("a");
        assertThat(row.values()).isNull();
        assertThat(row.eventTime()).isEqualTo(TIMESTAMP * 1000);

        ViewSchema numbers = ViewSchema.parse("view v\nkey id int64\nfield x float64\n");
        assertThat(Samples.tombstones(numbers, FeedConfig.KeyForm.TEXT)
                        .read(record("-17".getBytes(StandardCharsets.UTF_8), null))
                        .key())
                .isEqualTo(-17L);
        byte[] binary = ByteBuffer.allocate(8).putLong(1L << 40).array();
        assertThat(Samples.tombstones(numbers, FeedConfig.KeyForm.BINARY)
                        .read(record(binary, null))
                        .key())
                .isEqualTo(1L << 40);
        RowReader reader = Samples.tombstones(numbers, FeedConfig.KeyForm.TEXT);
        assertThatThrownBy(() -> reader.read(record(new byte[] {'x'}, null)))
                .hasMessageContaining("the record's key is 'x', expected an integer");
        assertThatThrownBy(() -> reader.read(record(new byte[] {-1}, null))).hasMessageContaining("no UTF-8");
        assertThatThrownBy(() -> reader.read(record(null, null))).hasMessageContaining("neither key nor value");
        RowReader ofBinary = Samples.tombstones(numbers, FeedConfig.KeyForm.BINARY);
        assertThatThrownBy(() -> ofBinary.read(record(new byte[3], null))).hasMessageContaining("has 3 bytes");
        RowReader none = reader(numbers, Map.of(), null, null);
        assertThatThrownBy(() -> none.read(record(new byte[8], null)))
                .hasMessageContaining("no tombstones are configured");
    }

    @Test
    void shouldRefuseColumnsThatTheViewHasNot() {
        assertThatThrownBy(() -> reader(SCHEMA, Map.of("y", "y"), null, null))
                .isInstanceOf(IOException.class)
                .hasMessage("columns: view 'v' has no 'y', but [id, x, f, n, total, on, seen, country]");
    }
}
