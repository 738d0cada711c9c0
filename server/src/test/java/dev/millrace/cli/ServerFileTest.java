// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.settings.Setting;
import dev.millrace.settings.SettingException;
import dev.millrace.settings.Settings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerFileTest {
    @TempDir
    Path temp;

    private Path file;
    private final List<String> read = new ArrayList<>();

    @BeforeEach
    void name() {
        file = temp.resolve("millrace.yaml");
    }

    private void read(String text) throws IOException {
        Files.writeString(file, text);
        new ServerFile()
                .section("first", value -> read.add("first " + value.text()))
                .section("second", this::second)
                .read(file);
    }

    private void second(Setting value) {
        Settings settings = value.settings("size", "on", "kind", "where", "list", "any");
        read.add("size " + settings.need("size").integer(1, 10));
        settings.find("on").ifPresent(on -> read.add("on " + on.bool()));
        settings.find("kind").ifPresent(kind -> read.add(kind.word(List.of("a", "b"))));
        settings.find("where").ifPresent(where -> read.add("" + where.path()));
        settings.find("list").ifPresent(list -> list.items().forEach(item -> read.add(item.text())));
        settings.find("any").ifPresent(any -> any.entries().forEach((name, each) -> read.add(name + each.text())));
    }

    @Test
    void shouldGiveEachSectionToItsReader() throws IOException {
        read("""
            # comment
            second: {size: 3, on: true, kind: b, where: a/b.txt, list: [x, y], any: {z: 1}}
            first: text
            """);

        assertThat(read)
                .containsExactly("first text", "size 3", "on true", "b", "" + temp.resolve("a/b.txt"), "x", "y", "z1");
    }

    @Test
    void shouldReadAFileWithoutSections() throws IOException {
        read("# nothing\n");

        assertThat(read).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "third: 1             | 1:1: third: no such name, expected one of [first, second]",
                "second: {sise: 1}    | 1:10: second.sise: no such name, expected one of [size,",
                "second: {on: true}   | 1:9: second: came without 'size', expected it",
                "second: 1            | 1:9: second: '1' came, expected names with values, of [size,",
                "second: {size: 11}   | 1:16: second.size: '11' came, expected a whole number from 1 to 10",
                "second: {size: '1'}  | 1:16: second.size: '1' came, expected a whole number",
                "second: {size: [1]}  | 1:16: second.size: a list came, expected a whole number",
                "second: {size: 1, on: yes}   | second.on: 'yes' came, expected one of [true, false]",
                "second: {size: 1, list: a}   | second.list: 'a' came, expected a list",
                "second: {size: 1, list: [{}]}| second.list[0]: names with values came, expected a text",
                "second: {size: 1, any: a}    | second.any: 'a' came, expected names with values",
                "first: &anchor       | 1:8: '&' begins a value",
                "- a                  | 1:1: expected 'name: value'",
            })
    void shouldSayWhereWhatIsWrong(String text, String problem) {
        assertThatThrownBy(() -> read(text.replace("\"", "'")))
                .isInstanceOf(SettingException.class)
                .hasMessageStartingWith(file + ":")
                .hasMessageContaining(problem);
    }

    @Test
    void shouldSayThatThereIsNoFile() {
        assertThatThrownBy(() -> new ServerFile().read(temp.resolve("none.yaml")))
                .isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void shouldEndTheCommandInOneLine() throws IOException {
        Files.writeString(file, "\n  bogus: 1\n");

        assertThat(serve(file))
                .startsWith("millrace: " + file + ":2:3: bogus: no such name, expected one of [")
                .hasLineCount(1);
        Files.writeString(file, "updates:\n  - view: v\n    kafka: 1\n");
        assertThat(serve(file)).startsWith("millrace: " + file + ":3:12: updates[0].kafka: '1' came, expected");
        assertThat(serve(temp.resolve("none.yaml")))
                .startsWith("millrace: --config " + temp.resolve("none.yaml") + " cannot be read");
    }

    private String serve(Path config) {
        StringWriter err = new StringWriter();
        int code = Main.run(
                new PrintWriter(new StringWriter()),
                new PrintWriter(err),
                "serve",
                "--model-repository",
                temp.toString(),
                "--config",
                config.toString());
        assertThat(code).isEqualTo(2);
        return err.toString();
    }
}
