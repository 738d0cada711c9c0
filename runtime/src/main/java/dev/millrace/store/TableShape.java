// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

/// How a view's table lies in memory: slots of one size, each with a version, a key and a row.
///
/// Threads: immutable, any.
///
/// @param keyBytes of a key, a multiple of eight
/// @param rowBytes of a row, a multiple of eight
/// @param slots how many there are
/// @param seed what keys are hashed with
record TableShape(int keyBytes, int rowBytes, long slots, long seed) {
    /// Where a slot has its key.
    static final int KEY = Long.BYTES;

    /// Of eight slots at most five are taken: a row that is there is then found after 1.8 looks in
    /// the mean.
    private static final int TAKEN = 5;

    private static final int OF = 8;

    /// A shape for so many entities.
    static TableShape of(ViewSchema schema, long entities, long seed) {
        long slots = Math.ceilDiv(Math.multiplyExact(Math.max(8, entities), (long) OF), (long) TAKEN);
        TableShape shape = new TableShape(schema.keyBytes(), schema.rowBytes(), slots, seed);
        if (slots > Long.MAX_VALUE / shape.slotBytes()) {
            throw new IllegalArgumentException("view '" + schema.name() + "' cannot have " + entities + " entities");
        }
        return shape;
    }

    /// How many keys it takes.
    long capacity() {
        return slots * TAKEN / OF;
    }

    /// Where a slot has its row.
    int row() {
        return KEY + keyBytes;
    }

    /// Half cache lines, so that a slot lies in as few of them as can be.
    int slotBytes() {
        return (row() + rowBytes + 31) & -32;
    }

    /// The size of the whole table.
    long bytes() {
        return slots * slotBytes();
    }
}
