// SPDX-License-Identifier: Apache-2.0
package dev.millrace.json;

import dev.millrace.memory.Hot;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A cursor over JSON text in UTF-8. The caller says what it wants to read; what is there instead it asks with
/// [#token()].
///
/// ```
/// json.enterObject();
/// while (json.nextMember()) {
///     if (json.isKey(NAME)) {
///         name = json.text();
///     } else {
///         json.skip();
///     }
/// }
/// ```
///
/// The text is checked as far as it is read: grammar as in RFC 8259, UTF-8 strictly, nesting up to a limit,
/// numbers up to [#MAX_NUMBER] characters. The bare tokens `NaN`, `Infinity` and `-Infinity` are numbers.
///
/// Threads: one. Ownership: the text stays the caller's, and must not change while it is read. Methods throw
/// [JsonException] where the text is no JSON.
public final class JsonReader {
    /// Bytes that an array has to have after the text; what is in them does not matter, and the first is overwritten.
    public static final int PADDING = 32;

    /// Deeper than any tensor, and nothing to overflow a stack with.
    public static final int DEFAULT_MAX_DEPTH = 100;

    /// Longer than any number that means something.
    public static final int MAX_NUMBER = 1000;

    private static final int MAX_SHOWN = 40;
    private static final byte[] TRUE = {'t', 'r', 'u', 'e'};
    private static final byte[] FALSE = {'f', 'a', 'l', 's', 'e'};
    private static final byte[] NULL = {'n', 'u', 'l', 'l'};
    private static final byte[] NAN = {'N', 'a', 'N'};
    private static final byte[] INFINITY = {'I', 'n', 'f', 'i', 'n', 'i', 't', 'y'};
    private static final byte[] MINUS_INFINITY = {'-', 'I', 'n', 'f', 'i', 'n', 'i', 't', 'y'};

    /// What can stand where a value is expected.
    public enum Token {
        OBJECT,
        ARRAY,
        STRING,
        NUMBER,
        TRUE,
        FALSE,
        NULL,
        END
    }

    private final StringDecoder strings = new StringDecoder();
    private final NumberDecoder numbers = new NumberDecoder();
    private final int maxDepth;
    private byte[] text = new byte[PADDING];
    private int start;
    private int end;
    private int at;
    private int depth;
    /// Whether nothing of the innermost object or array was read yet.
    private boolean first;

    private int valueStart;
    private int numberEnd;
    private boolean numberIsInteger;

    /// Takes what is nested up to [#DEFAULT_MAX_DEPTH].
    public JsonReader() {
        this(DEFAULT_MAX_DEPTH);
    }

    /// @param maxDepth how deep objects and arrays may be nested
    public JsonReader(int maxDepth) {
        this.maxDepth = maxDepth;
    }

    /// Starts to read `length` bytes of `bytes` from `offset` on, which has [#PADDING] bytes after that.
    @Hot
    public void reset(byte[] bytes, int offset, int length) {
        text = bytes;
        start = offset;
        at = offset;
        end = offset + length;
        depth = 0;
        first = true;
        valueStart = offset;
        // Ends every number and every run of white space; no such character is JSON.
        bytes[end] = 0;
    }

    /// Lets go of the text.
    public void clear() {
        text = new byte[PADDING];
        reset(text, 0, 0);
    }

    /// Where the reader is, for [#seek(int)].
    @Hot
    public int position() {
        return at;
    }

    /// Goes to the beginning of a value that was skipped, or back to where it came from.
    @Hot
    public void seek(int position) {
        at = position;
        first = false;
    }

    /// What the value that comes next is. It is not read by this.
    @Hot
    public Token token() {
        byte character = skipSpace();
        valueStart = at;
        return switch (character) {
            case '{' -> Token.OBJECT;
            case '[' -> Token.ARRAY;
            case '"' -> Token.STRING;
            case 't' -> Token.TRUE;
            case 'f' -> Token.FALSE;
            case 'n' -> Token.NULL;
            case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'N', 'I' -> Token.NUMBER;
            default -> atEnd();
        };
    }

    private Token atEnd() {
        if (at >= end && depth == 0) {
            return Token.END;
        }
        throw unexpected("a value");
    }

    /// Goes back to the beginning of the value that [#token()] was asked about last.
    public void seekValue() {
        seek(valueStart);
    }

    @Hot
    private byte skipSpace() {
        byte character = text[at];
        while (character <= ' ' && (character == ' ' || character == '\n' || character == '\r' || character == '\t')) {
            character = text[++at];
        }
        return character;
    }

    // ---- objects and arrays ----

    /// Goes into the object that comes next.
    @Hot
    public void enterObject() {
        enter('{');
    }

    /// Goes into the array that comes next.
    @Hot
    public void enterArray() {
        enter('[');
    }

    @Hot
    private void enter(char opening) {
        if (skipSpace() != opening) {
            throw unexpected(opening == '{' ? "'{'" : "'['");
        }
        if (++depth > maxDepth) {
            throw tooDeep();
        }
        at++;
        first = true;
    }

    /// Goes to the value of the next member of the object, or out of the object if there is none.
    @Hot
    public boolean nextMember() {
        if (!next('}')) {
            return false;
        }
        if (skipSpace() != '"') {
            throw unexpected("a key in double quotes");
        }
        at = strings.scan(this, text, at);
        if (skipSpace() != ':') {
            throw unexpected("':' after a key");
        }
        at++;
        return true;
    }

    /// Goes to the next element of the array, or out of the array if there is none.
    @Hot
    public boolean nextElement() {
        return next(']');
    }

    @Hot
    private boolean next(char closing) {
        byte character = skipSpace();
        if (character == ',' && !first) {
            at++;
            return true;
        }
        if (character == closing) {
            at++;
            depth--;
            first = false;
            return false;
        }
        if (!first) {
            throw unexpected(closing == '}' ? "',' or '}'" : "',' or ']'");
        }
        first = false;
        return true;
    }

    /// Whether the member that was gone to has this key.
    ///
    /// @param key in UTF-8
    @Hot
    public boolean isKey(byte[] key) {
        return strings.is(text, key);
    }

    /// Passes over the value that comes next.
    @Hot
    public void skip() {
        switch (token()) {
            case OBJECT -> {
                enterObject();
                while (nextMember()) {
                    skip();
                }
            }
            case ARRAY -> {
                enterArray();
                while (nextElement()) {
                    skip();
                }
            }
            case STRING -> readText();
            case NUMBER -> readNumber();
            case TRUE -> readLiteral(TRUE);
            case FALSE -> readLiteral(FALSE);
            case NULL -> readLiteral(NULL);
            case END -> throw unexpected("a value");
        }
        first = false;
    }

    /// Reads a value that is true, false or null; [#token()] has told which.
    @Hot
    public void readLiteral(Token which) {
        readLiteral(
                switch (which) {
                    case TRUE -> TRUE;
                    case FALSE -> FALSE;
                    default -> NULL;
                });
    }

    @Hot
    private void readLiteral(byte[] literal) {
        if (!startsWith(literal)) {
            throw unknownWord();
        }
        at += literal.length;
        first = false;
    }

    @Hot
    private boolean startsWith(byte[] word) {
        // A word that goes on beyond the end of the text differs at the latest in the byte after it.
        return Arrays.equals(text, at, Math.min(text.length, at + word.length), word, 0, word.length)
                && !isWordCharacter(text[at + word.length]);
    }

    @Hot
    private static boolean isWordCharacter(byte character) {
        int lower = character | 0x20;
        return (lower >= 'a' && lower <= 'z') || (character >= '0' && character <= '9');
    }

    // ---- strings ----

    /// Reads a string, to be looked at by [#isText(byte[])], [#text()] and the like.
    @Hot
    public void readText() {
        if (skipSpace() != '"') {
            throw unexpected("a string");
        }
        at = strings.scan(this, text, at);
        first = false;
    }

    /// Whether the string that was read, or the key that was gone to, is `utf8`.
    @Hot
    public boolean isText(byte[] utf8) {
        return strings.is(text, utf8);
    }

    /// The string that was read, or the key that was gone to.
    public String text() {
        return new String(textBytes(), StandardCharsets.UTF_8);
    }

    /// The string that was read, or the key that was gone to, in UTF-8. Half a surrogate pair becomes a question mark.
    public byte[] textBytes() {
        return strings.bytes(text);
    }

    /// The array that the string that was read lies in, in UTF-8, until something else is read; as [#textBytes()]
    /// without a copy.
    @Hot
    public byte[] textSource() {
        return strings.source(text);
    }

    /// Where in [#textSource()], which was asked for, the string begins.
    @Hot
    public int textOffset() {
        return strings.sourceOffset();
    }

    /// How many bytes of [#textSource()] the string has.
    @Hot
    public int textLength() {
        return strings.sourceLength();
    }

    /// Whether the string that was read has half a surrogate pair, which no UTF-8 text can.
    @Hot
    public boolean hasLoneSurrogate() {
        return strings.hasLoneSurrogate(text);
    }

    // ---- numbers ----

    /// Reads a number, to be looked at by [#isInteger()], [#real()] and the like.
    @Hot
    public void readNumber() {
        valueStart = at;
        byte character = text[at];
        numberIsInteger = false;
        if (character == 'N' || character == 'I' || (character == '-' && text[at + 1] == 'I')) {
            readWord(character);
        } else {
            scanNumber();
        }
        numberEnd = at;
        first = false;
    }

    @Hot
    private void readWord(byte character) {
        byte[] word = character == 'N' ? NAN : character == 'I' ? INFINITY : MINUS_INFINITY;
        if (!startsWith(word)) {
            throw unknownWord();
        }
        at += word.length;
    }

    @Hot
    private void scanNumber() {
        int from = at;
        int here = text[at] == '-' ? at + 1 : at;
        int afterDigits = NumberDecoder.skipDigits(text, here);
        if (afterDigits == here || (text[here] == '0' && afterDigits > here + 1)) {
            throw badNumber(here, afterDigits);
        }
        here = afterDigits;
        numberIsInteger = true;
        if (text[here] == '.') {
            numberIsInteger = false;
            afterDigits = NumberDecoder.skipDigits(text, here + 1);
            if (afterDigits == here + 1) {
                throw badNumber(afterDigits, afterDigits);
            }
            here = afterDigits;
        }
        if ((text[here] | 0x20) == 'e') {
            numberIsInteger = false;
            here++;
            here += text[here] == '-' || text[here] == '+' ? 1 : 0;
            afterDigits = NumberDecoder.skipDigits(text, here);
            if (afterDigits == here) {
                throw badNumber(here, here);
            }
            here = afterDigits;
        }
        if (here - from > MAX_NUMBER) {
            throw tooLong(from, here);
        }
        at = here;
    }

    private JsonException tooDeep() {
        return malformed(at, "nested deeper than the depth of " + maxDepth);
    }

    /// Whether the text was refused because it is nested too deep.
    public boolean isTooDeep() {
        return depth > maxDepth;
    }

    private JsonException tooLong(int from, int to) {
        return malformed(from, "a number of " + (to - from) + " characters, at most " + MAX_NUMBER + " are taken");
    }

    private JsonException badNumber(int digits, int end) {
        if (end > digits) {
            return malformed(digits, "a number with a leading zero");
        }
        at = digits;
        return unexpected("a digit");
    }

    /// Whether the number that was read has neither fraction nor exponent.
    @Hot
    public boolean isInteger() {
        return numberIsInteger;
    }

    /// The integer that was read, if it lies between `least` and `greatest`; otherwise [#isInRange()] is false.
    @Hot
    public long integer(long least, long greatest) {
        return numbers.integer(text, valueStart, numberEnd, least, greatest);
    }

    /// The integer that was read as 64 bits without a sign, if it has them; otherwise [#isInRange()] is false.
    @Hot
    public long unsigned() {
        return numbers.unsigned(text, valueStart, numberEnd);
    }

    /// Whether the last of [#integer(long, long)], [#unsigned()], [#real()] and [#real32()] was in range.
    @Hot
    public boolean isInRange() {
        return numbers.isInRange();
    }

    /// The number that was read, rounded to the nearest double. One written in digits that is too large for it is
    /// infinite and not in range.
    @Hot
    public double real() {
        return numbers.real(text, valueStart, numberEnd);
    }

    /// The number that was read, rounded to the nearest float, otherwise as [#real()].
    @Hot
    public float real32() {
        return numbers.real32(text, valueStart, numberEnd);
    }

    /// Reads elements of the array from the current one on, as long as they are plain numbers, as floats rounded to the
    /// nearest.
    ///
    /// @param target gets them, in native byte order
    /// @param index the first one's place in `target`
    /// @param limit the place in `target` to end before
    /// @return how many were read; 0 says nothing but that the current element has to be looked at in another way
    @Hot
    public int readFloats(MemorySegment target, long index, long limit) {
        int count = PlainFloats.read(text, at, target, index, limit, numbers);
        if (count > 0) {
            at = numbers.position();
            first = false;
        }
        return count;
    }

    // ---- what is wrong ----

    /// The value that [#token()] was asked about last in words, for an error message.
    public String describe() {
        at = valueStart;
        return switch (token()) {
            case OBJECT -> "an object";
            case ARRAY -> "an array";
            case STRING -> {
                readText();
                yield "the string \"" + shorten(text()) + '"';
            }
            case NUMBER -> {
                readNumber();
                yield shorten(new String(text, valueStart, at - valueStart, StandardCharsets.US_ASCII));
            }
            case TRUE -> word(TRUE);
            case FALSE -> word(FALSE);
            case NULL -> word(NULL);
            case END -> "nothing";
        };
    }

    private String word(byte[] literal) {
        readLiteral(literal);
        return new String(literal, StandardCharsets.US_ASCII);
    }

    private static String shorten(String text) {
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
    }

    private JsonException unknownWord() {
        int to = at;
        while (to < end && to - at < MAX_SHOWN && isWordCharacter(text[to])) {
            to++;
        }
        String word = new String(text, at, to - at, StandardCharsets.US_ASCII);
        return malformed(at, "'" + word + "', expected a value");
    }

    JsonException unexpected(String expected) {
        if (at >= end) {
            return malformed(end, "unexpected end-of-input, expected " + expected);
        }
        if (isWordCharacter(text[at])) {
            JsonException unknown = unknownWord();
            return expected.equals("a value")
                    ? unknown
                    : malformed(at, "unexpected " + character() + ", expected " + expected);
        }
        return malformed(at, "unexpected " + character() + ", expected " + expected);
    }

    private String character() {
        byte character = text[at];
        return character > ' ' && character < 0x7F
                ? "'" + (char) character + "'"
                : "byte 0x%02x".formatted(character & 0xFF);
    }

    /// An error at `position`, with its line and column in bytes, counted from 1.
    JsonException malformed(int position, String problem) {
        int line = 1;
        int lineStart = start;
        for (int i = start; i < position; i++) {
            if (text[i] == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        return new JsonException("line " + line + ", column " + (position - lineStart + 1) + ": " + problem);
    }

    /// Whether a position lies behind the text.
    boolean isBehind(int position) {
        return position >= end;
    }
}
