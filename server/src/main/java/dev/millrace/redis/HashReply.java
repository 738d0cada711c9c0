// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;

/// What Redis says to HMGET, a value for each field that was asked for, or to HGETALL, all names and values: in both
/// cases a value for each field in the order of a [FieldSet], null where there is none.
///
/// Threads: the connection's.
final class HashReply extends CommandOutput<byte[], byte[], byte[][]> {
    private static final int ANOTHER = -1;

    private final FieldSet fields;
    private int next;
    private boolean named;
    private int place;

    HashReply(FieldSet fields) {
        super(ByteArrayCodec.INSTANCE, new byte[fields.size()][]);
        this.fields = fields;
    }

    @Override
    public void set(ByteBuffer bytes) {
        if (!fields.isWhole()) {
            take(next++, bytes);
            return;
        }
        if (named) {
            if (place != ANOTHER) {
                take(place, bytes);
            }
        } else {
            place = bytes == null ? ANOTHER : fields.place(bytes);
        }
        named = !named;
    }

    private void take(int field, ByteBuffer bytes) {
        if (field >= output.length) {
            throw new IllegalStateException("Redis has answered more than " + output.length + " fields");
        }
        output[field] = bytes == null ? null : codec.decodeValue(bytes);
    }

    /// Whether all fields were answered.
    boolean isComplete() {
        return fields.isWhole() ? !named : next == output.length;
    }
}
