// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Malformed;
import dev.millrace.model.TextProto.Message;
import dev.millrace.model.TextProto.Scalar;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextProtoTest {
    /// A message as one line: scalars as they are, strings in quotes.
    private static String shown(Message message) {
        StringBuilder line = new StringBuilder();
        for (Field field : message.fields()) {
            line.append(line.isEmpty() ? "" : " ").append(field.name()).append('=');
            switch (field.value()) {
                case Message inner -> line.append('{').append(shown(inner)).append('}');
                case Scalar scalar -> line.append(scalar.quoted() ? "\"" + scalar.text() + "\"" : scalar.text());
                default -> throw new IllegalStateException();
            }
        }
        return line.toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`` | ``",
                "a: 1 | a=1",
                "a:1 b:2, c : 3; d: -4 | a=1 b=2 c=3 d=-4",
                "a { b: 1 } | a={b=1}",
                "a: { b: 1 } | a={b=1}",
                "a < b: 1 > | a={b=1}",
                "a { b { } c: x } d: y | a={b={} c=x} d=y",
                "a: [1, 2,3] | a=1 a=2 a=3",
                "a [ { b: 1 }, { b: 2 } ] | a={b=1} a={b=2}",
                "a: [ ] b: 1 | b=1",
                "a: 'it' | a=\"it\"",
                "a: \"one\" ' two' | a=\"one two\"",
                "a: 'é\\x41\\102\\'\\\\' | a=\"éAB'\\\"",
                "a: 1.5e-3 b: 0x1F c: inf d: 1e+9f | a=1.5e-3 b=0x1F c=inf d=1e+9f",
                "a: KIND_CPU b: true | a=KIND_CPU b=true",
            })
    void shouldReadWhatIsWellFormed(String text, String expected) {
        assertThat(shown(TextProto.parse(text))).isEqualTo(expected);
    }

    @Test
    void shouldPassOverCommentsAndCountLines() {
        Message message = TextProto.parse("""
            # first
            a: 1 # b: 2
            c {
              d: "# no comment"
            }\
            """);
        assertThat(shown(message)).isEqualTo("a=1 c={d=\"# no comment\"}");
        assertThat(message.fields()).extracting(Field::line).containsExactly(2, 3);
        assertThat(((Message) message.fields().getLast().value())
                        .fields()
                        .getFirst()
                        .line())
                .isEqualTo(4);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a | line 1: expected ':' or '{' after 'a', came the end",
                "a 1 | line 1: expected ':' or '{' after 'a', came '1'",
                "a: | line 1: expected a value of 'a', came the end",
                "a: } | line 1: expected a value of 'a', came '}'",
                "a { b: 1 | line 1: expected '}', came the end",
                "a { b: 1 > | line 1: expected a field's name, came '>'",
                "} | line 1: expected a field's name, came '}'",
                "a: [1 2] | line 1: expected ',' or ']' in the list of 'a', came '2'",
                "a: 'x | line 1: a string has no end",
                "a: 'x\\ | line 1: a string has no end",
                "a: '\\q' | line 1: '\\q' is no escape in a string that is read here",
                "a: '\\xg' | line 1: an escape has no digits",
                "a: ☃ | line 1: expected a value of 'a', came '☃'",
            })
    void shouldSayWhatIsMalformed(String text, String problem) {
        assertThatThrownBy(() -> TextProto.parse(text))
                .isInstanceOf(Malformed.class)
                .hasMessage(problem);
    }

    @Test
    void shouldRefuseMessagesNestedTooDeep() {
        assertThatThrownBy(() -> TextProto.parse("a{".repeat(100_000)))
                .isInstanceOf(Malformed.class)
                .hasMessage("line 1: messages are nested deeper than 64");
    }

    /// Any text is read or refused; nothing else happens, and it ends.
    @Test
    void shouldReadOrRefuseWhateverComes() {
        List<String> pieces = List.of(
                "a",
                ":",
                "{",
                "}",
                "<",
                ">",
                "[",
                "]",
                ",",
                ";",
                "'",
                "\"",
                "\\",
                "#",
                "\n",
                " ",
                "1",
                "-",
                ".",
                "e",
                "x",
                "+",
                "dynamic_batching",
                "é");
        int read = 0;
        for (long seed = 0; seed < 20_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(12); i > 0; i--) {
                text.append(pieces.get(random.nextInt(pieces.size())));
            }
            try {
                TextProto.parse(text.toString());
                read++;
            } catch (Malformed e) {
                assertThat(e).as("seed %d", seed).hasMessageStartingWith("line ");
            }
        }
        assertThat(read).isGreaterThan(500);
    }
}
