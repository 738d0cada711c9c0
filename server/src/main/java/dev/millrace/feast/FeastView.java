// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

import dev.millrace.features.Murmur3;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Fields of a feature view that are read together: of one entity they are in one hash, with those of all other views
/// of the same entity.
///
/// @param name of the view
/// @param joinKeys of its entity
/// @param fields their names; a row's values are in this order
public record FeastView(String name, List<JoinKey> joinKeys, List<String> fields) {
    private static final String TIMESTAMP = "_ts:";

    /// The lists cannot change.
    public FeastView {
        joinKeys = List.copyOf(joinKeys);
        fields = List.copyOf(fields);
    }

    /// What the fields are called in the hash, and behind them the one that has the time of the row.
    public byte[][] hashFields() {
        byte[][] names = new byte[fields.size() + 1][];
        for (int i = 0; i < fields.size(); i++) {
            names[i] = field(name, fields.get(i));
        }
        names[fields.size()] = (TIMESTAMP + name).getBytes(StandardCharsets.UTF_8);
        return names;
    }

    /// What a field is called in the hash.
    static byte[] field(String view, String field) {
        byte[] text = (view + ":" + field).getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(Murmur3.hash(text, 0, text.length, 0))
                .array();
    }
}
