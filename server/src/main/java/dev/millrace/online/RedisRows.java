// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.feast.FeastFormatException;
import dev.millrace.feast.FeastRow;
import dev.millrace.feast.FeastView;
import dev.millrace.feast.JoinKey;
import dev.millrace.protocol.Refusal;
import dev.millrace.redis.ReadBy;
import dev.millrace.redis.RedisStore;
import dev.millrace.redis.RowRead;
import dev.millrace.redis.RowsWanted;
import dev.millrace.runtime.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// Reads rows of several views from Redis into columns, all in one go. Threads: one at a time.
final class RedisRows {
    private final RedisStore store;
    private final List<Asked> asked = new ArrayList<>();
    private final List<RowsWanted> wanted = new ArrayList<>();

    /// A view, which rows of the request have no null among their keys, and where theirs go.
    private record Asked(String view, List<Integer> rows, FeatureColumns columns) {}

    RedisRows(RedisStore store) {
        this.store = store;
    }

    /// Asks for rows of a view.
    ///
    /// @param view as Redis knows it
    /// @param joinKeys of its entity
    /// @param request has values for them
    /// @throws Refusal if one is no key
    void add(String view, List<String> joinKeys, FeatureRequest request, FeatureColumns to) {
        List<List<Object>> values =
                joinKeys.stream().map(name -> request.entities().get(name)).toList();
        List<JoinKey> keys = new ArrayList<>();
        for (int i = 0; i < joinKeys.size(); i++) {
            keys.add(store.joinKey(joinKeys.get(i), values.get(i).stream().anyMatch(String.class::isInstance)));
        }
        List<Integer> rows = new ArrayList<>();
        List<List<Object>> complete = new ArrayList<>();
        for (int row = 0; row < request.rows(); row++) {
            List<Object> key = key(keys, values, row);
            if (key != null) {
                rows.add(row);
                complete.add(key);
            }
        }
        asked.add(new Asked(view, rows, to));
        wanted.add(new RowsWanted(new FeastView(view, keys, to.names()), complete, false));
    }

    /// Null if a part of it is.
    private static List<Object> key(List<JoinKey> keys, List<List<Object>> values, int row) {
        List<Object> parts = new ArrayList<>(keys.size());
        for (int i = 0; i < keys.size(); i++) {
            Object value = values.get(i).get(row);
            if (value == null) {
                return null;
            }
            Object part = value instanceof Integer number ? (Object) number.longValue() : value;
            if (!keys.get(i).takes(part)) {
                throw Refusal.invalid("entities." + keys.get(i).name() + "[" + row + "] is "
                        + JsonObjectReader.describe(value) + ", expected "
                        + keys.get(i).expectation());
            }
            parts.add(part);
        }
        return parts;
    }

    /// Whether nothing was asked for.
    boolean isEmpty() {
        return asked.isEmpty();
    }

    /// Reads all.
    ///
    /// @param by who takes in what comes
    /// @return the bytes that the values take, about, on any thread; or a [Refusal] if Redis cannot be asked, or
    ///     has something that cannot be read
    CompletableFuture<Long> read(ReadBy by) {
        return store.read(wanted, Long.MAX_VALUE, by).thenApply(this::take);
    }

    private long take(List<List<RowRead>> read) {
        long bytes = 0;
        for (int i = 0; i < read.size(); i++) {
            Asked of = asked.get(i);
            for (int j = 0; j < read.get(i).size(); j++) {
                RowRead row = read.get(i).get(j);
                if (row.row() == null) {
                    throw new Refusal(
                            Outcome.UNAVAILABLE, "view '" + of.view() + "' could not be had: " + row.problem());
                }
                bytes += row.row().heapBytes();
                take(of, of.rows().get(j), row.row());
            }
        }
        return bytes;
    }

    private static void take(Asked of, int at, FeastRow row) {
        if (!row.isWritten()) {
            return;
        }
        of.columns().found(at, row.eventTimeMicros());
        for (int field = 0; field < of.columns().names().size(); field++) {
            if (!row.isWritten(field)) {
                continue;
            }
            Object value = value(of, field, row);
            if (value == null) {
                of.columns().column(field).putNull(at);
            } else {
                of.columns().column(field).put(at, value, row.bytes(field));
            }
        }
    }

    private static Object value(Asked of, int field, FeastRow row) {
        try {
            return row.value(field);
        } catch (FeastFormatException e) {
            throw new Refusal(
                    Outcome.FAILED,
                    "feature '" + of.view() + ":" + of.columns().names().get(field) + "' cannot be read: "
                            + e.getMessage());
        }
    }
}
