// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.ServerConfig;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Option;

/// The tables of docs/configuration.md have a row for every value there is, and its default.
class ConfigurationTest {
    /// The cells of a table's rows, without their backquotes, below the header cell `header`.
    private static List<List<String>> table(String header) throws IOException {
        return table("docs/configuration.md", header);
    }

    private static List<List<String>> table(String file, String header) throws IOException {
        List<String> lines = Files.readAllLines(Markdown.root().resolve(file));
        List<List<String>> rows = new ArrayList<>();
        int line = 0;
        while (!lines.get(line).startsWith("| `" + header + "` |")) {
            line++;
        }
        for (line += 2; line < lines.size() && lines.get(line).startsWith("|"); line++) {
            String[] cells = lines.get(line).split("\\|", -1);
            rows.add(Arrays.stream(cells, 1, cells.length - 1)
                    .map(cell -> cell.strip().replace("`", ""))
                    .toList());
        }
        return rows;
    }

    private static List<String> components(Class<? extends Record> type) {
        return Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getName)
                .toList();
    }

    private static String value(Record config, String component) throws ReflectiveOperationException {
        return config.getClass().getMethod(component).invoke(config).toString();
    }

    @Test
    void shouldListEveryValueOfAModel() throws IOException {
        assertThat(table("ModelConfig")).extracting(List::getFirst).isEqualTo(components(ModelConfig.class));
    }

    @Test
    void shouldListEveryValueOfTheRuntimeWithItsDefault() throws Exception {
        List<List<String>> rows = table("RuntimeConfig");
        assertThat(rows).extracting(List::getFirst).isEqualTo(components(RuntimeConfig.class));
        for (List<String> row : rows) {
            assertThat(row.getLast()).as(row.getFirst()).isEqualTo(value(RuntimeConfig.DEFAULT, row.getFirst()));
        }
    }

    @Test
    void shouldListEveryValueOfTheServerWithItsDefault() throws Exception {
        List<List<String>> rows = table("ServerConfig");
        assertThat(rows).extracting(List::getFirst).isEqualTo(components(ServerConfig.class));
        for (List<String> row : rows.subList(0, 3)) {
            assertThat(row.getLast()).as(row.getFirst()).isEqualTo(value(ServerConfig.of(), row.getFirst()));
        }
    }

    @Test
    void shouldListEveryLimitWithItsDefault() throws IOException {
        assertThat(table("docs/limits.md", "Limit"))
                .extracting(row -> String.join(" ", row.subList(0, 4)))
                .containsExactlyElementsOf(Arrays.stream(Limit.values())
                        .map(ConfigurationTest::described)
                        .toList());
    }

    private static String described(Limit limit) {
        String prefix = limit.name() + ' ' + limit.option();
        return switch (limit.unit()) {
            case COUNT -> prefix + "  " + limit.standard();
            case BYTES -> prefix + " bytes " + limit.standard();
            case MILLIS -> prefix + " time " + limit.standard() / 1000 + "s";
        };
    }

    @Test
    void shouldNameTheOptionsThatThereAre() throws Exception {
        TreeSet<String> options = new TreeSet<>();
        for (var field : Class.forName("dev.millrace.cli.ServeCommand").getDeclaredFields()) {
            Option option = field.getAnnotation(Option.class);
            if (option != null) {
                options.addAll(List.of(option.names()));
            }
        }
        TreeSet<String> named = new TreeSet<>(List.of("--verbose"));
        for (String table : List.of("RuntimeConfig", "ServerConfig")) {
            table(table).stream()
                    .map(row -> row.get(1))
                    .filter(name -> name.startsWith("--"))
                    .forEach(named::add);
        }
        assertThat(named).isEqualTo(options);
    }

    /// Every key that the table names is one that the file's reader knows: it is read without a warning.
    @Test
    void shouldNameKeysThatAreRead() throws IOException {
        String block = Markdown.read(Markdown.root().resolve("docs/configuration.md")).blocks().stream()
                .map(Markdown.Block::text)
                .filter(text -> text.contains("max_batch_size"))
                .findFirst()
                .orElseThrow();
        var file = Files.writeString(Files.createTempDirectory("config").resolve("config.pbtxt"), block);
        var read = dev.millrace.model.ConfigFile.read(file, "fraud");
        assertThat(read.warnings()).isEmpty();
        assertThat(read.config().maxBatchSize()).hasValue(64);
        for (List<String> row : table("ModelConfig")) {
            String key = row.get(1).replaceAll(".*[., ]", "");
            if (!row.get(1).contains("objective")) {
                assertThat(block).contains(key);
            }
        }
    }
}
