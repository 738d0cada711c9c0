// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

import com.google.protobuf.CodedInputStream;
import java.io.IOException;

/// What is stored of an entity in a view: the values as they are stored, and when they were so.
///
/// Threads: any; it does not change.
public final class FeastRow {
    private static final int SECONDS = 1 << 3;
    private static final int NANOS = 2 << 3;
    private static final int END = 0;
    private static final long MICROS = 1_000_000;
    private static final int NANOS_PER_MICRO = 1_000;
    /// What the row and a value take of the heap beside the bytes themselves, about.
    private static final int ROW_BYTES = 64;

    private static final int VALUE_BYTES = 24;

    private final byte[][] values;
    private final boolean written;
    private final long eventTimeMicros;

    /// @param values by the places of the view's fields; null for one that was never written
    /// @param timestamp the bytes of the row's time; null if the view has never written this entity
    /// @throws FeastFormatException if the time cannot be read
    public FeastRow(byte[][] values, byte[] timestamp) {
        this.values = values;
        this.written = timestamp != null;
        this.eventTimeMicros = timestamp == null ? 0 : micros(timestamp);
    }

    static long micros(byte[] timestamp) {
        CodedInputStream in = CodedInputStream.newInstance(timestamp);
        long seconds = 0;
        int nanos = 0;
        try {
            for (int tag = in.readTag(); tag != END; tag = in.readTag()) {
                switch (tag) {
                    case SECONDS -> seconds = in.readInt64();
                    case NANOS -> nanos = in.readInt32();
                    default -> in.skipField(tag);
                }
            }
            return Math.addExact(Math.multiplyExact(seconds, MICROS), nanos / NANOS_PER_MICRO);
        } catch (IOException | ArithmeticException e) {
            throw new FeastFormatException("a row's time cannot be read: " + e.getMessage());
        }
    }

    /// Whether the view has ever written this entity.
    public boolean isWritten() {
        return written;
    }

    /// Whether a field was ever written: as a value or as null.
    public boolean isWritten(int field) {
        return values[field] != null;
    }

    /// The value of a field, as [FeastValue] reads it; null if it was written as null, or never.
    ///
    /// @throws FeastFormatException if it cannot be read
    public Object value(int field) {
        byte[] value = values[field];
        return value == null ? null : FeastValue.decode(value);
    }

    /// The value of a field as it is stored, which nobody changes; null if it was never written.
    public byte[] bytes(int field) {
        return values[field];
    }

    /// When its values were so, in microseconds since 1970.
    public long eventTimeMicros() {
        return eventTimeMicros;
    }

    /// What it takes of the heap, about.
    public int heapBytes() {
        int bytes = ROW_BYTES;
        for (byte[] value : values) {
            bytes += VALUE_BYTES + (value == null ? 0 : value.length);
        }
        return bytes;
    }
}
