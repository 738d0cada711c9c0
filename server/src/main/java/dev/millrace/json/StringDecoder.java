// SPDX-License-Identifier: Apache-2.0
package dev.millrace.json;

import dev.millrace.memory.Hot;
import java.util.Arrays;

/// The string that a reader read last: where it is, and what its escapes stand for. Threads: one.
final class StringDecoder {
    private static final int NOT_HEX = -1;
    private static final int MAX_CODE_POINT_BYTES = 4;

    private int from;
    private int to;
    private boolean escaped;
    private byte[] decoded = {};
    private int decodedLength;
    private boolean loneSurrogate;

    /// Finds the end of the string whose opening quote is at `quote`, checks it, and returns what comes after it.
    @Hot
    int scan(JsonReader reader, byte[] text, int quote) {
        escaped = false;
        decodedLength = -1;
        from = quote + 1;
        int at = from;
        byte character = text[at];
        while (character != '"') {
            if (character == '\\') {
                escaped = true;
                at = skipEscape(reader, text, at);
            } else if (character >= ' ') {
                at++;
            } else {
                at = skipOther(reader, text, at);
            }
            character = text[at];
        }
        to = at;
        return at + 1;
    }

    private static int skipEscape(JsonReader reader, byte[] text, int backslash) {
        switch (text[backslash + 1]) {
            case '"', '\\', '/', 'b', 'f', 'n', 'r', 't' -> {
                return backslash + 2;
            }
            case 'u' -> {
                if (codeUnit(text, backslash + 2) == NOT_HEX) {
                    throw malformed(reader, backslash, "an escape \\u without four hexadecimal digits");
                }
                return backslash + 6;
            }
            default -> throw malformed(reader, backslash + 1, "an unknown escape in a string");
        }
    }

    private static JsonException malformed(JsonReader reader, int at, String problem) {
        return reader.isBehind(at)
                ? reader.malformed(at, "unexpected end-of-input in a string")
                : reader.malformed(at, problem);
    }

    /// The value of four hexadecimal digits, or -1.
    private static int codeUnit(byte[] text, int at) {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            // No digit is beyond ASCII, as Character.digit would have it.
            int digit = text[at + i] < 0 ? NOT_HEX : Character.digit(text[at + i], 16);
            if (digit < 0) {
                return NOT_HEX;
            }
            value = (value << 4) | digit;
        }
        return value;
    }

    /// Passes over a character of more than one byte. Control characters are none.
    private static int skipOther(JsonReader reader, byte[] text, int at) {
        if (text[at] >= 0) {
            throw malformed(reader, at, "a control character in a string, which has to be escaped");
        }
        int length = sequenceLength(text, at);
        if (length == 0) {
            throw malformed(reader, at, "bytes in a string that are not UTF-8");
        }
        return at + length;
    }

    /// The length of the well-formed UTF-8 sequence of two or more bytes at `at`, or 0 if there is none.
    private static int sequenceLength(byte[] text, int at) {
        int lead = text[at] & 0xFF;
        int second = text[at + 1] & 0xFF;
        if (lead >= 0xC2 && lead <= 0xDF) {
            return isTail(second) ? 2 : 0;
        }
        if ((lead & 0xF0) == 0xE0) {
            // Neither longer than it has to be, nor half a surrogate pair.
            boolean fits = lead == 0xE0 ? second >= 0xA0 : lead != 0xED || second <= 0x9F;
            return fits && isTail(second) && isTail(text[at + 2] & 0xFF) ? 3 : 0;
        }
        if (lead >= 0xF0 && lead <= 0xF4) {
            // Neither longer than it has to be, nor beyond U+10FFFF.
            boolean fits = lead == 0xF0 ? second >= 0x90 : lead != 0xF4 || second <= 0x8F;
            boolean tails = isTail(second) && isTail(text[at + 2] & 0xFF) && isTail(text[at + 3] & 0xFF);
            return fits && tails ? MAX_CODE_POINT_BYTES : 0;
        }
        return 0;
    }

    private static boolean isTail(int octet) {
        return (octet & 0xC0) == 0x80;
    }

    /// Whether the string is `utf8`.
    @Hot
    boolean is(byte[] text, byte[] utf8) {
        if (escaped) {
            return isDecoded(text, utf8);
        }
        return Arrays.equals(text, from, to, utf8, 0, utf8.length);
    }

    private boolean isDecoded(byte[] text, byte[] utf8) {
        decode(text);
        return Arrays.equals(decoded, 0, decodedLength, utf8, 0, utf8.length);
    }

    /// The array that the string lies in, without escapes: the text itself, or another.
    @Hot
    byte[] source(byte[] text) {
        if (!escaped) {
            return text;
        }
        decode(text);
        return decoded;
    }

    /// Where in [#source(byte[])] it begins, after that was asked for.
    @Hot
    int sourceOffset() {
        return escaped ? 0 : from;
    }

    /// Its length in [#source(byte[])].
    @Hot
    int sourceLength() {
        return escaped ? decodedLength : to - from;
    }

    byte[] bytes(byte[] text) {
        if (!escaped) {
            return Arrays.copyOfRange(text, from, to);
        }
        decode(text);
        return Arrays.copyOf(decoded, decodedLength);
    }

    @Hot
    boolean hasLoneSurrogate(byte[] text) {
        if (!escaped) {
            return false;
        }
        decode(text);
        return loneSurrogate;
    }

    /// Replaces the escapes. No escape is shorter than what it stands for.
    private void decode(byte[] text) {
        if (decodedLength >= 0) {
            return;
        }
        if (decoded.length < to - from) {
            decoded = new byte[to - from];
        }
        decodedLength = 0;
        loneSurrogate = false;
        for (int at = from; at < to; ) {
            if (text[at] != '\\') {
                decoded[decodedLength++] = text[at++];
            } else if (text[at + 1] == 'u') {
                at = decodeUnit(text, at);
            } else {
                decoded[decodedLength++] = plain(text[at + 1]);
                at += 2;
            }
        }
    }

    private static byte plain(byte letter) {
        return switch (letter) {
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            default -> letter;
        };
    }

    /// Decodes the escape at `at`, and the one after it if they are a surrogate pair. Returns what comes after.
    private int decodeUnit(byte[] text, int at) {
        char unit = (char) codeUnit(text, at + 2);
        if (!Character.isSurrogate(unit)) {
            append(unit);
            return at + 6;
        }
        boolean pair = Character.isHighSurrogate(unit) && text[at + 6] == '\\' && text[at + 7] == 'u';
        char low = pair ? (char) codeUnit(text, at + 8) : 0;
        if (Character.isLowSurrogate(low)) {
            append(Character.toCodePoint(unit, low));
            return at + 12;
        }
        loneSurrogate = true;
        append('?');
        return at + 6;
    }

    private void append(int codePoint) {
        if (codePoint < 0x80) {
            decoded[decodedLength++] = (byte) codePoint;
        } else if (codePoint < 0x800) {
            decoded[decodedLength++] = (byte) (0xC0 | (codePoint >> 6));
            appendTail(codePoint);
        } else if (codePoint < 0x10000) {
            decoded[decodedLength++] = (byte) (0xE0 | (codePoint >> 12));
            appendTail(codePoint >> 6);
            appendTail(codePoint);
        } else {
            decoded[decodedLength++] = (byte) (0xF0 | (codePoint >> 18));
            appendTail(codePoint >> 12);
            appendTail(codePoint >> 6);
            appendTail(codePoint);
        }
    }

    private void appendTail(int bits) {
        decoded[decodedLength++] = (byte) (0x80 | (bits & 0x3F));
    }
}
