// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The fields of some views in an entity's hash, and how they are asked for: one by one, or, where they are many, all
/// that the hash has, as Redis looks fields of a small hash up by a walk through it, each anew.
///
/// Threads: any; it does not change.
final class FieldSet {
    /// As Feast's server in Java does.
    private static final int WHOLE = 50;

    private final List<byte[]> names = new ArrayList<>();
    /// Empty if they are asked for one by one.
    private final Map<ByteBuffer, Integer> places = new HashMap<>();

    FieldSet(List<PreparedView> views) {
        views.forEach(view -> names.addAll(List.of(view.fields())));
        for (int i = 0; isWhole() && i < names.size(); i++) {
            places.put(ByteBuffer.wrap(names.get(i)), i);
        }
    }

    int size() {
        return names.size();
    }

    /// Whether all of the hash is asked for.
    boolean isWhole() {
        return names.size() >= WHOLE;
    }

    /// Which field has a name; -1 for none of these.
    int place(ByteBuffer name) {
        return places.getOrDefault(name, -1);
    }

    CommandType command() {
        return isWhole() ? CommandType.HGETALL : CommandType.HMGET;
    }

    CommandArgs<byte[], byte[]> arguments(byte[] key) {
        CommandArgs<byte[], byte[]> arguments = new CommandArgs<>(ByteArrayCodec.INSTANCE).addKey(key);
        if (!isWhole()) {
            names.forEach(arguments::addValue);
        }
        return arguments;
    }
}
