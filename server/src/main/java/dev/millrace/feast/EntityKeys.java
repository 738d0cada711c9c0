// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Writes the keys that Feast's online store has rows of entities by: names and values of the join keys, those in the
/// order of their names, and the project behind them.
///
/// Threads: any; it does not change.
public final class EntityKeys {
    private final byte[] head;
    private final byte[] project;
    private final JoinKey[] sorted;
    /// For each of them which of the caller's it is.
    private final int[] places;

    /// @param joinKeys in the order in which values will come; none for rows that are of no entity
    public EntityKeys(KeyVersion version, String project, List<JoinKey> joinKeys) {
        this.project = project.getBytes(StandardCharsets.UTF_8);
        Integer[] order = new Integer[joinKeys.size()];
        Arrays.setAll(order, i -> i);
        // As Feast sorts them, by code points: as bytes of UTF-8 they have the same order, as Java's characters not.
        Arrays.sort(order, Comparator.comparing(i -> utf8(joinKeys.get(i)), Arrays::compareUnsigned));
        places = Arrays.stream(order).mapToInt(i -> i).toArray();
        sorted = Arrays.stream(order).map(joinKeys::get).toArray(JoinKey[]::new);
        head = head(version, sorted);
    }

    private static byte[] utf8(JoinKey key) {
        return key.name().getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] head(KeyVersion version, JoinKey[] keys) {
        int bytes = Integer.BYTES;
        for (JoinKey key : keys) {
            bytes += 2 * Integer.BYTES + utf8(key).length;
        }
        ByteBuffer head = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (version == KeyVersion.V3) {
            head.putInt(keys.length);
        }
        for (JoinKey key : keys) {
            byte[] name = utf8(key);
            head.putInt(JoinKey.Type.STRING.number());
            if (version == KeyVersion.V3) {
                head.putInt(name.length);
            }
            head.put(name);
        }
        return Arrays.copyOf(head.array(), head.position());
    }

    /// The key of an entity.
    ///
    /// @param values of the join keys, in the order that they were given in; each a [Long] or a [String]
    /// @throws IllegalArgumentException if one is not what its join key has
    public byte[] key(Object... values) {
        byte[][] parts = new byte[sorted.length][];
        int bytes = head.length + project.length;
        for (int i = 0; i < parts.length; i++) {
            parts[i] = sorted[i].bytes(values[places[i]]);
            bytes += 2 * Integer.BYTES + parts[i].length;
        }
        ByteBuffer key =
                ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN).put(head);
        for (int i = 0; i < parts.length; i++) {
            key.putInt(sorted[i].type().number()).putInt(parts[i].length).put(parts[i]);
        }
        return key.put(project).array();
    }
}
