// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/// Values that are bare datums of an Avro record, written by the schema that they are read by.
/// Threads: one.
final class AvroFormat implements MessageFormat {
    private static final int NANOS_PER_MICRO = 1_000;

    private final Schema schema;
    private final GenericDatumReader<GenericRecord> reader;
    private BinaryDecoder decoder;

    private AvroFormat(Schema schema) {
        this.schema = schema;
        this.reader = new GenericDatumReader<>(schema);
    }

    static AvroFormat read(Path file) throws IOException {
        Schema schema;
        try {
            schema = new Schema.Parser().parse(file.toFile());
        } catch (RuntimeException e) {
            throw new IOException(file + ": " + e.getMessage() + ", expected a schema of Avro", e);
        }
        if (schema.getType() != Schema.Type.RECORD) {
            throw new IOException(file + " is the schema of " + schema.getType().getName() + ", expected a record");
        }
        return new AvroFormat(schema);
    }

    @Override
    public Message decode(ByteBuffer bytes) {
        decoder = DecoderFactory.get()
                .binaryDecoder(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining(), decoder);
        GenericRecord datum;
        try {
            datum = reader.read(null, decoder);
            if (!decoder.isEnd()) {
                throw new MessageException("behind the datum are more bytes, expected a " + schema.getFullName());
            }
        } catch (MessageException e) {
            throw e;
        } catch (IOException | RuntimeException | StackOverflowError e) {
            // A schema may contain itself, and so may be as deep as a value is long.
            throw new MessageException("the value is no " + schema.getFullName() + " in Avro: " + e);
        }
        return column -> value(datum, column);
    }

    private static Object value(GenericRecord datum, String[] column) {
        Object value = datum;
        Schema type = datum.getSchema();
        for (int i = 0; i < column.length && value != null; i++) {
            if (!(value instanceof IndexedRecord)) {
                throw Values.wrong(column[i - 1], plain(column, value, type), "a record");
            }
            Schema.Field field = type.getField(column[i]);
            if (field == null) {
                throw new MessageException(
                        String.join(".", column) + ": " + type.getFullName() + " has no '" + column[i] + "'");
            }
            value = ((IndexedRecord) value).get(field.pos());
            type = field.schema();
            if (type.isUnion()) {
                type = type.getTypes().get(GenericData.get().resolveUnion(type, value));
            }
        }
        return value == null ? null : plain(column, value, type);
    }

    private static Object plain(String[] column, Object value, Schema type) {
        return switch (value) {
            case CharSequence text -> text.toString();
            case Integer number -> number.longValue();
            case Long number -> time(number, type.getLogicalType());
            case Float number -> number.doubleValue();
            case Double number -> number;
            case Boolean truth -> truth;
            case GenericData.EnumSymbol symbol -> symbol.toString();
            default ->
                throw new MessageException(String.join(".", column) + " is of type "
                        + type.getType().getName() + ", expected a number, a string, a boolean or an enum");
        };
    }

    private static Object time(Long number, LogicalType type) {
        return switch (type) {
            case LogicalTypes.TimestampMillis _, LogicalTypes.LocalTimestampMillis _ ->
                new Moment(Values.micros(EpochUnit.MILLIS, number));
            case LogicalTypes.TimestampMicros _, LogicalTypes.LocalTimestampMicros _ -> new Moment(number);
            case LogicalTypes.TimestampNanos _, LogicalTypes.LocalTimestampNanos _ ->
                new Moment(Math.floorDiv(number, NANOS_PER_MICRO));
            case null, default -> number;
        };
    }

    @Override
    public void requireColumn(String column) {
        List<Schema> records = List.of(schema);
        for (String name : column.split("\\.")) {
            List<Schema> inner = records.stream()
                    .map(record -> record.getField(name))
                    .filter(field -> field != null)
                    .map(Schema.Field::schema)
                    .flatMap(type -> type.isUnion() ? type.getTypes().stream() : java.util.stream.Stream.of(type))
                    .toList();
            if (inner.isEmpty()) {
                throw new IllegalArgumentException("the schema has no '" + column + "': "
                        + (records.isEmpty()
                                ? "there is no record around '" + name + "'"
                                : records.getFirst().getFullName() + " has no '" + name + "', but "
                                        + records.getFirst().getFields().stream()
                                                .map(Schema.Field::name)
                                                .toList()));
            }
            records = inner.stream()
                    .filter(type -> type.getType() == Schema.Type.RECORD)
                    .toList();
        }
    }
}
