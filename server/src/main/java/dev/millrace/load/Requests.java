// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/// Whole requests, head and body, encoded once and sent in turn.
///
/// Threads: one. Ownership: it owns their memory until it is closed.
final class Requests implements AutoCloseable {
    private final List<ByteBuf> encoded;
    private int turn;

    Requests(Target target, Map<String, String> headers, List<byte[]> bodies) {
        encoded = bodies.stream()
                .map(body -> Unpooled.unreleasableBuffer(encode(head(target, headers, body.length), body)))
                .toList();
    }

    private static byte[] head(Target target, Map<String, String> headers, int length) {
        StringBuilder head = new StringBuilder("POST " + target.inferPath() + " HTTP/1.1\r\nHost: " + target.authority()
                + "\r\nContent-Length: " + length + "\r\n");
        headers.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        return head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    private static ByteBuf encode(byte[] head, byte[] body) {
        return Unpooled.directBuffer(head.length + body.length).writeBytes(head).writeBytes(body);
    }

    /// The next request, for one write.
    ByteBuf next() {
        ByteBuf request = encoded.get(turn);
        turn = turn + 1 == encoded.size() ? 0 : turn + 1;
        return request.duplicate();
    }

    @Override
    public void close() {
        encoded.forEach(request -> request.unwrap().release());
    }
}
