// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.ViewSchema;
import dev.millrace.update.FeedConfig.KeyForm;
import dev.millrace.update.FeedConfig.Time;
import dev.millrace.update.MessageFormat.Message;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/// Makes rows of a view from records. Threads: one.
final class RowReader {
    private static final long MICROS_PER_MILLI = 1_000;

    private final ViewSchema schema;
    private final MessageFormat format;
    private final Column key;
    private final List<Column> columns;
    private final Optional<TimeColumn> event;
    private final Optional<TimeColumn> availability;
    private final Optional<KeyForm> tombstones;
    private final InstantSource clock;

    /// Where a value is in a message.
    private record Column(String name, String[] names) {
        static Column of(String name) {
            return new Column(name, name.split("\\."));
        }
    }

    private record TimeColumn(Column column, EpochUnit unit) {}

    private RowReader(ViewSchema schema, FeedConfig config, MessageFormat format, InstantSource clock) {
        this.schema = schema;
        this.format = format;
        this.key = column(config, schema.key());
        this.columns =
                schema.fields().stream().map(field -> column(config, field)).toList();
        this.event = config.eventTime().map(RowReader::time);
        this.availability = config.availabilityTime().map(RowReader::time);
        this.tombstones = config.tombstones();
        this.clock = clock;
    }

    private static Column column(FeedConfig config, Field field) {
        return Column.of(config.columns().getOrDefault(field.name(), field.name()));
    }

    private static TimeColumn time(Time time) {
        return new TimeColumn(Column.of(time.column()), time.unit());
    }

    /// That of a feed.
    ///
    /// @throws IOException if its schema cannot be read, or does not fit the view
    static RowReader of(ViewSchema schema, FeedConfig config, InstantSource clock) throws IOException {
        for (String name : config.columns().keySet()) {
            if (!schema.has(name) && !schema.key().name().equals(name)) {
                List<String> names = new ArrayList<>(List.of(schema.key().name()));
                schema.fields().forEach(field -> names.add(field.name()));
                throw new IOException("columns: view '" + schema.name() + "' has no '" + name + "', but " + names);
            }
        }
        MessageFormat format = MessageFormat.of(config.format());
        RowReader reader = new RowReader(schema, config, format, clock);
        try {
            format.requireColumn(reader.key.name());
            reader.columns.forEach(column -> format.requireColumn(column.name()));
            reader.event.ifPresent(time -> format.requireColumn(time.column().name()));
            reader.availability.ifPresent(
                    time -> format.requireColumn(time.column().name()));
        } catch (IllegalArgumentException e) {
            throw new IOException(e.getMessage() + "; 'columns' says where it is", e);
        }
        return reader;
    }

    /// The row of a record.
    ///
    /// @throws MessageException if it is none
    UpdateRow read(ConsumerRecord<byte[], byte[]> record) {
        if (record.value() == null) {
            return deletion(record);
        }
        Message message = format.decode(ByteBuffer.wrap(record.value()));
        Object entity = Values.key(schema.key(), key.name(), message.value(key.names()));
        long eventTime = event.isPresent() ? time(event.get(), message) : timestamp(record);
        long availabilityTime = availability.isPresent() ? time(availability.get(), message) : now();
        Object[] values = new Object[columns.size()];
        for (int i = 0; i < values.length; i++) {
            Column column = columns.get(i);
            values[i] = Values.of(schema.fields().get(i), column.name(), message.value(column.names()));
        }
        return new UpdateRow(entity, eventTime, availabilityTime, values);
    }

    private static long time(TimeColumn time, Message message) {
        Object value = message.value(time.column().names());
        return Values.time(time.column().name(), value, time.unit());
    }

    private static long timestamp(ConsumerRecord<byte[], byte[]> record) {
        if (record.timestamp() < 0) {
            throw new MessageException("the record has no timestamp, expected one: no event_time is configured");
        }
        return Values.micros(EpochUnit.MILLIS, record.timestamp());
    }

    private long now() {
        return clock.millis() * MICROS_PER_MILLI;
    }

    private UpdateRow deletion(ConsumerRecord<byte[], byte[]> record) {
        if (tombstones.isEmpty()) {
            throw new MessageException("the record has no value, expected one: no tombstones are configured");
        }
        if (record.key() == null) {
            throw new MessageException("the record has neither key nor value, expected the key of what is deleted");
        }
        Object entity = tombstones.get() == KeyForm.BINARY ? binary(record.key()) : text(record.key());
        return new UpdateRow(Values.key(schema.key(), "the record's key", entity), timestamp(record), now(), null);
    }

    private static Object binary(byte[] bytes) {
        if (bytes.length != Long.BYTES) {
            throw new MessageException(
                    "the record's key has " + bytes.length + " bytes, expected an integer of " + Long.BYTES);
        }
        return ByteBuffer.wrap(bytes).getLong();
    }

    private Object text(byte[] bytes) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException _) {
            throw new MessageException("the record's key is no UTF-8, expected the key of what is deleted");
        }
        if (schema.key().type() == FieldType.STRING) {
            return text;
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException _) {
            throw Values.wrong("the record's key", text, "an integer, the key");
        }
    }
}
