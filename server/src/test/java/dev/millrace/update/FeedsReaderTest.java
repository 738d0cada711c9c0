// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.settings.Setting;
import dev.millrace.settings.SettingException;
import dev.millrace.yaml.Yaml;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeedsReaderTest {
    private static final Path FILE = Path.of("/etc/millrace.yaml");
    private static final String KAFKA = "kafka: {bootstrap_servers: h:1, topic: t, group: g}";
    private static final String LETTERS = "dead_letters: {file: d}";

    private static List<FeedConfig> read(String text) {
        return FeedsReader.read(new Setting(FILE, "updates", Yaml.parseValue(text)));
    }

    @Test
    void shouldReadEverySetting() {
        FeedConfig feed = read("""
            - view: customers
              kafka:
                bootstrap_servers: [one:9092, "two:9092"]
                topic: customer-changes
                group: scoring-1
                properties: {max.poll.records: 2000, security.protocol: SSL}
              format: avro
              schema: schemas/customer.avsc
              header: confluent
              columns: {customer: id, amount_7d: payload.amount}
              event_time: seen_at
              event_time_unit: millis
              availability_time: written_at
              dead_letters: {topic: customer-changes-dead}
              tombstones: text
            """).getFirst();

        assertThat(feed)
                .isEqualTo(new FeedConfig(
                        "customers",
                        new FeedConfig.Source(
                                "one:9092,two:9092",
                                "customer-changes",
                                "scoring-1",
                                Map.of("max.poll.records", "2000", "security.protocol", "SSL")),
                        new FeedConfig.Format(
                                FeedConfig.Kind.AVRO,
                                Optional.of(Path.of("/etc/schemas/customer.avsc")),
                                Optional.empty(),
                                true),
                        Map.of("customer", "id", "amount_7d", "payload.amount"),
                        Optional.of(new FeedConfig.Time("seen_at", EpochUnit.MILLIS)),
                        Optional.of(new FeedConfig.Time("written_at", EpochUnit.MICROS)),
                        new FeedConfig.Letters(Optional.of("customer-changes-dead"), Optional.empty()),
                        Optional.of(FeedConfig.KeyForm.TEXT)));
        assertThat(feed.toString()).doesNotContain("SSL");
    }

    @Test
    void shouldTakeDefaults() {
        FeedConfig feed = read("- {view: v, format: json, " + KAFKA + ", " + LETTERS + "}")
                .getFirst();

        assertThat(feed.format())
                .isEqualTo(new FeedConfig.Format(FeedConfig.Kind.JSON, Optional.empty(), Optional.empty(), false));
        assertThat(feed.deadLetters().file()).contains(Path.of("/etc/d"));
        assertThat(feed.eventTime()).isEmpty();
        assertThat(feed.tombstones()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                                           | updates: names with values came, expected a list",
                "[{}]                                         | updates[0]: came without 'view', expected it",
                "[{view: v, form: json}]                      | updates[0].form: no such name, expected one of [view,",
                "[{view: v}]                                  | came without 'kafka'",
                "[{view: v, KAFKA, LETTERS}]                  | came without 'format'",
                "[{view: v, KAFKA, format: xml, LETTERS}]     | 'xml' came, expected one of [json, avro, protobuf]",
                "[{view: v, KAFKA, format: json}]             | came without 'dead_letters'",
                "[{view: v, KAFKA, format: avro, LETTERS}]    | came without 'schema'",
                "[{view: v, KAFKA, format: protobuf, descriptor: d, LETTERS}] | came without 'message'",
                "[{view: v, KAFKA, format: json, schema: s, LETTERS}] | expected it only with 'format: avro'",
                "[{view: v, KAFKA, format: json, header: x, LETTERS}] | expected one of [none, confluent]",
                "[{view: v, KAFKA, format: json, event_time_unit: millis, LETTERS}] | only with 'event_time'",
                "[{view: v, KAFKA, format: json, event_time: t, event_time_unit: days, LETTERS}] | 'days' came",
                "[{view: v, KAFKA, format: json, columns: {a: 'b c'}, LETTERS}]| columns.a: 'b c' came",
                "[{view: v, KAFKA, format: json, tombstones: true, LETTERS}]  | expected one of [text, binary]",
                "[{view: v, KAFKA, format: json, dead_letters: {}}]           | expected 'topic' or 'file'",
                "[{view: v, KAFKA, format: json, dead_letters: {topic: a, file: b}}] | expected 'topic' or 'file'",
                "[{view: v, KAFKA, format: json, dead_letters: {topic: t}}]   | another topic than that which is read",
                "[{view: v, KAFKA, format: json, dead_letters: {topic: a/b}}] | the name of a topic",
                "[{view: v, kafka: {topic: t, group: g}, format: json, LETTERS}] | came without 'bootstrap_servers'",
                "[{view: v, kafka: {bootstrap_servers: h, topic: t, group: g, properties: {group.id: x}}, format: json,"
                        + " LETTERS}] | 'group.id' came, expected 'group'",
                "[{view: v, kafka: {bootstrap_servers: h, topic: t, group: g, properties: {enable.auto.commit: true}},"
                        + " format: json, LETTERS}] | left to the server",
                "[{view: v, KAFKA, format: json, LETTERS}, {view: v, KAFKA, format: json, LETTERS}] | came before",
                "[{view: v, KAFKA, format: json, LETTERS}, {view: w, KAFKA, format: json, LETTERS}] | one for each"
                        + " feed",
            })
    void shouldSayWhatIsWrong(String text, String problem) {
        String whole = text.replace("KAFKA", KAFKA).replace("LETTERS", LETTERS);

        assertThatThrownBy(() -> read(whole))
                .isInstanceOf(SettingException.class)
                .hasMessageStartingWith(FILE + ":1:")
                .hasMessageContaining(problem);
    }
}
