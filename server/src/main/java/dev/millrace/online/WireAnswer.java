// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.online.FeatureAnswer.Feature;
import dev.millrace.protocol.Wire;
import dev.millrace.protocol.WireWriter;
import java.nio.charset.StandardCharsets;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Writes answers as Feast's `GetOnlineFeaturesResponse`, without a message object. Null is a value
/// in which nothing is set. Threads: one.
final class WireAnswer {
    private static final int METADATA = 1;
    private static final int RESULTS = 2;
    private static final int FEATURE_NAMES = 1;
    private static final int LIST_VALUE = 1;

    private static final int VALUES = 1;
    private static final int STATUSES = 2;
    private static final int EVENT_TIMESTAMPS = 3;

    private static final int SECONDS = Wire.tag(1, Wire.VARINT);
    private static final int NANOS = Wire.tag(2, Wire.VARINT);

    private static final int STRING = 2;
    private static final int INT32 = Wire.tag(3, Wire.VARINT);
    private static final int INT64 = Wire.tag(4, Wire.VARINT);
    private static final int DOUBLE = Wire.tag(5, Wire.FIXED64);
    private static final int FLOAT = Wire.tag(6, Wire.FIXED32);
    private static final int BOOL = Wire.tag(7, Wire.VARINT);
    private static final int UNIX_TIMESTAMP = Wire.tag(8, Wire.VARINT);

    private static final long MICROS = 1_000_000;
    private static final int NANOS_PER_MICRO = 1_000;

    private final FeatureAnswer answer;
    private final WireWriter all = new WireWriter();
    /// A field of `all`, whose length comes before it.
    private final WireWriter part = new WireWriter();
    /// A field of `part`.
    private final WireWriter inner = new WireWriter();
    /// Features of one view share theirs.
    private final Map<FeatureColumns, byte[]> times = new IdentityHashMap<>();

    private WireAnswer(FeatureAnswer answer) {
        this.answer = answer;
    }

    static byte[] bytes(FeatureAnswer answer) {
        return new WireAnswer(answer).write();
    }

    private byte[] write() {
        writeNames();
        answer.keys().values().forEach(this::writeKeys);
        answer.features().forEach(this::writeFeature);
        return all.toBytes();
    }

    private void writeNames() {
        inner.reset();
        answer.keys().keySet().forEach(key -> text(inner, LIST_VALUE, key));
        answer.features().forEach(feature -> text(inner, LIST_VALUE, feature.name()));
        append(part.reset(), FEATURE_NAMES, inner);
        append(all, METADATA, part);
    }

    /// A join key as if it was a feature, as Feast's servers in Python and Go do.
    private void writeKeys(List<Object> keys) {
        part.reset();
        for (Object key : keys) {
            inner.reset();
            switch (key) {
                case null -> {}
                case Long number -> inner.varint(INT64).varint(number);
                case Integer number -> inner.varint(INT32).varint(number);
                case Double number -> inner.varint(DOUBLE).fixed64(Double.doubleToRawLongBits(number));
                case Float number -> inner.varint(FLOAT).fixed32(Float.floatToRawIntBits(number));
                case Boolean truth -> inner.varint(BOOL).varint(truth ? 1 : 0);
                case Object text -> text(inner, STRING, text.toString());
            }
            append(part, VALUES, inner);
        }
        inner.reset();
        keys.forEach(_ -> inner.varint(FieldStatus.PRESENT.number()));
        append(part, STATUSES, inner);
        keys.forEach(_ -> part.begin(EVENT_TIMESTAMPS, 0));
        append(all, RESULTS, part);
    }

    private void writeFeature(Feature feature) {
        FeatureColumn column = feature.column();
        part.reset();
        for (int row = 0; row < answer.rows(); row++) {
            inner.reset();
            if (column.isPresent(row)) {
                value(column, row);
            }
            append(part, VALUES, inner);
        }
        inner.reset();
        for (int row = 0; row < answer.rows(); row++) {
            inner.varint(feature.status(row).number());
        }
        append(part, STATUSES, inner);
        part.raw(times.computeIfAbsent(feature.columns(), WireAnswer::times));
        append(all, RESULTS, part);
    }

    /// Zeros are written: only null has nothing.
    private void value(FeatureColumn column, int row) {
        if (!column.isTyped()) {
            inner.raw(column.getStored(row));
            return;
        }
        switch (column.type()) {
            case FLOAT64 -> inner.varint(DOUBLE).fixed64(Double.doubleToRawLongBits(column.getDouble(row)));
            case FLOAT32 -> inner.varint(FLOAT).fixed32(Float.floatToRawIntBits(column.getFloat(row)));
            case INT64 -> inner.varint(INT64).varint(column.getLong(row));
            case INT32 -> inner.varint(INT32).varint(column.getLong(row));
            case BOOL -> inner.varint(BOOL).varint(column.getLong(row));
            case TIMESTAMP -> inner.varint(UNIX_TIMESTAMP).varint(Math.floorDiv(column.getLong(row), MICROS));
            case STRING -> text(inner, STRING, column.getString(row));
        }
    }

    private static byte[] times(FeatureColumns columns) {
        WireWriter fields = new WireWriter();
        WireWriter time = new WireWriter();
        for (int row = 0; row < columns.rows(); row++) {
            time.reset();
            if (columns.isFound(row)) {
                number(time, SECONDS, Math.floorDiv(columns.time(row), MICROS));
                number(time, NANOS, Math.floorMod(columns.time(row), MICROS) * NANOS_PER_MICRO);
            }
            append(fields, EVENT_TIMESTAMPS, time);
        }
        return fields.toBytes();
    }

    /// Zero is what is not written.
    private static void number(WireWriter to, int tag, long value) {
        if (value != 0) {
            to.varint(tag).varint(value);
        }
    }

    private static void text(WireWriter to, int field, String text) {
        to.bytes(field, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void append(WireWriter to, int field, WireWriter message) {
        to.begin(field, message.length()).raw(message.array(), message.length());
    }
}
