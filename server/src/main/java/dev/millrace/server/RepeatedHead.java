// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.memory.Hot;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// The head of a request, byte for byte but for the value of Content-Length, to recognise the next one that is the
/// same. What is said by the same bytes in the same place means the same, and need not be parsed again.
///
/// Threads: one. It holds bytes on the heap only.
final class RepeatedHead {
    private static final String LENGTH = "\r\ncontent-length:";
    private static final byte[] END = {'\r', '\n', '\r', '\n'};
    /// Longer bodies are not in one piece with their heads anyway.
    private static final int MAX_LENGTH_DIGITS = 7;

    /// A longer head is not worth its memory.
    private static final int MAX_BYTES = 2048;

    private final ByteBuf beforeLength;
    private final ByteBuf afterLength;

    private int headBytes;
    private int bodyBytes;

    private RepeatedHead(byte[] before, byte[] after) {
        beforeLength = Unpooled.wrappedBuffer(before);
        afterLength = Unpooled.wrappedBuffer(after);
    }

    /// The head that `bytes` begin with, if they are one request and nothing else, with exactly one Content-Length and
    /// none of the headers that change how a request is received; otherwise null.
    static RepeatedHead of(ByteBuf bytes) {
        int start = bytes.readerIndex();
        int end = ByteBufUtil.indexOf(Unpooled.wrappedBuffer(END), bytes);
        if (end < 0 || end - start > MAX_BYTES) {
            return null;
        }
        int length = end + END.length - start;
        String text = bytes.toString(start, length, StandardCharsets.ISO_8859_1);
        String lower = text.toLowerCase(Locale.ROOT);
        int header = lower.indexOf(LENGTH);
        boolean plain = header >= 0
                && lower.indexOf(LENGTH, header + 1) < 0
                && !lower.contains("\ntransfer-encoding")
                && !lower.contains("\nexpect")
                && !lower.contains("\nupgrade")
                && text.length() == lower.length();
        if (!plain) {
            return null;
        }
        int from = header + LENGTH.length();
        while (text.charAt(from) == ' ') {
            from++;
        }
        RepeatedHead head =
                new RepeatedHead(bytes(text.substring(0, from)), bytes(text.substring(text.indexOf('\r', from))));
        return head.matches(bytes) && head.headBytes == length && length + head.bodyBytes == bytes.readableBytes()
                ? head
                : null;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /// Whether `bytes` begin with this head, and the whole body follows. Then [#headBytes()] and [#bodyBytes()] tell
    /// how long they are.
    @Hot
    boolean matches(ByteBuf bytes) {
        int start = bytes.readerIndex();
        int before = beforeLength.readableBytes();
        int after = afterLength.readableBytes();
        int readable = bytes.readableBytes();
        if (readable < before + 1 + after || !ByteBufUtil.equals(bytes, start, beforeLength, 0, before)) {
            return false;
        }
        int at = start + before;
        int limit = Math.min(MAX_LENGTH_DIGITS, readable - before - after);
        int length = 0;
        int digits = 0;
        while (digits < limit) {
            int digit = bytes.getByte(at + digits) - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            length = length * 10 + digit;
            digits++;
        }
        headBytes = before + digits + after;
        bodyBytes = length;
        return digits > 0
                && headBytes + length <= readable
                && ByteBufUtil.equals(bytes, at + digits, afterLength, 0, after);
    }

    @Hot
    int headBytes() {
        return headBytes;
    }

    @Hot
    int bodyBytes() {
        return bodyBytes;
    }
}
