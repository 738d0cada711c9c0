// SPDX-License-Identifier: Apache-2.0
package dev.millrace.table;

import java.nio.charset.StandardCharsets;

/// Writes structures in Thrift's compact protocol, as Parquet's metadata is. Fields come in
/// ascending order of their numbers. Threads: one.
final class ThriftWriter {
    private static final int TRUE = 1;
    private static final int FALSE = 2;
    private static final int I32 = 5;
    private static final int I64 = 6;
    private static final int BINARY = 8;
    private static final int LIST = 9;
    private static final int STRUCT = 12;
    private static final int MAX_DEPTH = 16;
    private static final int LONG_LIST = 15;

    private final Bytes bytes;
    private final int[] last = new int[MAX_DEPTH];
    private int depth;

    /// Writes a structure to `bytes`; it is open.
    ThriftWriter(Bytes bytes) {
        this.bytes = bytes;
    }

    private void field(int number, int type) {
        int step = number - last[depth];
        if (step > 0 && step <= 15) {
            bytes.put(step << 4 | type);
        } else {
            bytes.put(type);
            bytes.putVarint(zigzag(number));
        }
        last[depth] = number;
    }

    private static long zigzag(long value) {
        return value << 1 ^ value >> 63;
    }

    ThriftWriter i32(int number, int value) {
        field(number, I32);
        bytes.putVarint(zigzag(value));
        return this;
    }

    ThriftWriter i64(int number, long value) {
        field(number, I64);
        bytes.putVarint(zigzag(value));
        return this;
    }

    ThriftWriter bool(int number, boolean value) {
        field(number, value ? TRUE : FALSE);
        return this;
    }

    ThriftWriter text(int number, String value) {
        field(number, BINARY);
        text(value);
        return this;
    }

    private void text(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        bytes.putVarint(utf8.length);
        bytes.put(utf8);
    }

    /// Begins a structure within this one, which [#end()] ends.
    ThriftWriter begin(int number) {
        field(number, STRUCT);
        return enter();
    }

    /// Begins a structure that is an element of a list, which [#end()] ends.
    ThriftWriter enter() {
        last[++depth] = 0;
        return this;
    }

    /// Ends a structure.
    ThriftWriter end() {
        bytes.put(0);
        depth--;
        return this;
    }

    /// A structure without fields.
    ThriftWriter empty(int number) {
        return begin(number).end();
    }

    /// The head of a list of structures, which follow.
    ThriftWriter structs(int number, int count) {
        return list(number, STRUCT, count);
    }

    ThriftWriter i32s(int number, int... values) {
        list(number, I32, values.length);
        for (int value : values) {
            bytes.putVarint(zigzag(value));
        }
        return this;
    }

    /// A list of one text.
    ThriftWriter oneText(int number, String value) {
        list(number, BINARY, 1);
        text(value);
        return this;
    }

    private ThriftWriter list(int number, int type, int count) {
        field(number, LIST);
        if (count < LONG_LIST) {
            bytes.put(count << 4 | type);
        } else {
            bytes.put(LONG_LIST << 4 | type);
            bytes.putVarint(count);
        }
        return this;
    }

    /// Ends the outermost structure.
    void finish() {
        if (depth != 0) {
            throw new IllegalStateException("a structure is open");
        }
        bytes.put(0);
    }
}
