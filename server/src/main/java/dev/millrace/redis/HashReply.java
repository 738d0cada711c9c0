// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;

/// What Redis says to HMGET: a value for each field that was asked for, null where there is none.
///
/// Threads: the connection's.
final class HashReply extends CommandOutput<byte[], byte[], byte[][]> {
    private int next;

    HashReply(int fields) {
        super(ByteArrayCodec.INSTANCE, new byte[fields][]);
    }

    @Override
    public void set(ByteBuffer bytes) {
        if (next == output.length) {
            throw new IllegalStateException("Redis has answered more than " + next + " fields, expected as many");
        }
        output[next++] = bytes == null ? null : codec.decodeValue(bytes);
    }

    /// Whether all fields were answered.
    boolean isComplete() {
        return next == output.length;
    }
}
