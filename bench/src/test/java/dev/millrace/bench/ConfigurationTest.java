// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.control.ControlConfig;
import dev.millrace.limit.Limit;
import dev.millrace.model.ConfigFile;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.server.ServerConfig;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
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
        while (!lines.get(line).replace("`", "").startsWith("| " + header + " |")) {
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
    void shouldListEveryWayForModelsToChangeWithItsDefault() throws Exception {
        List<List<String>> rows = table("ControlConfig");
        assertThat(rows).extracting(List::getFirst).isEqualTo(components(ControlConfig.class));
        for (String name : List.of("mode", "pollInterval", "startUpModels", "strictReadiness")) {
            assertThat(rows)
                    .filteredOn(row -> row.getFirst().equals(name))
                    .singleElement()
                    .satisfies(row -> assertThat(row.getLast()).isEqualTo(value(ControlConfig.DEFAULT, name)));
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
        for (String type : List.of("ServeCommand", "ControlOptions")) {
            for (var field : Class.forName("dev.millrace.cli." + type).getDeclaredFields()) {
                Option option = field.getAnnotation(Option.class);
                if (option != null) {
                    options.addAll(List.of(option.names()));
                }
            }
        }
        TreeSet<String> named =
                new TreeSet<>(List.of("--config", "--verbose", "--shutdown-grace", "--exit-on-error", "--admin-token"));
        for (String table : List.of("RuntimeConfig", "ServerConfig", "ControlConfig")) {
            table(table).stream()
                    .flatMap(row -> Arrays.stream(row.get(1).split(", ")))
                    .filter(name -> name.startsWith("--"))
                    .forEach(named::add);
        }
        assertThat(named).isEqualTo(options);
    }

    /// Every field of Triton's configuration, with a sample of it, is in the table, and what the table says of it is
    /// so.
    @ParameterizedTest
    @MethodSource("tritonFields")
    void shouldDoWithEveryFieldOfTritonsWhatTheTableSays(String field, String sample, @TempDir Path folder)
            throws IOException {
        String said = table("field").stream()
                .filter(row -> row.getFirst().equals(field))
                .map(List::getLast)
                .findFirst()
                .orElseThrow();
        Path file = Files.writeString(folder.resolve("config.pbtxt"), sample);
        String why = said.substring(said.indexOf(':') + 1).strip();
        if (said.startsWith("refused: ")) {
            assertThatThrownBy(() -> ConfigFile.read(file, "m")).hasMessageEndingWith("expected none: " + why);
        } else if (said.startsWith("no effect: ")) {
            assertThat(ConfigFile.read(file, "m").warnings())
                    .containsExactly(field + " (line 1) has no effect: " + why);
        } else {
            assertThat(said).startsWith("honoured");
            assertThat(ConfigFile.read(file, "m").warnings()).isEmpty();
        }
    }

    static List<Arguments> tritonFields() throws IOException {
        return resource().stream()
                .map(line -> line.split(" \\| ", 2))
                .map(parts -> Arguments.of(parts[0], parts[1]))
                .toList();
    }

    private static List<String> resource() throws IOException {
        try (InputStream in = ConfigurationTest.class.getResourceAsStream("/triton-fields.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
    }

    @Test
    void shouldListNoOtherFields() throws IOException {
        assertThat(table("field"))
                .extracting(List::getFirst)
                .isEqualTo(resource().stream().map(line -> line.split(" ")[0]).toList());
    }

    /// The example in YAML says what the other one says.
    @Test
    void shouldSayTheSameInYaml(@TempDir Path folder) throws IOException {
        Path yaml = Files.writeString(folder.resolve("model.yaml"), block("  latest: { num_versions: 2 }"));
        Path proto = Files.writeString(folder.resolve("config.pbtxt"), block("latest { num_versions: 2 }"));
        ConfigFile read = ConfigFile.read(yaml, "fraud");
        assertThat(read.warnings()).isEmpty();
        assertThat(read.config()).isEqualTo(ConfigFile.read(proto, "fraud").config());
    }

    private static String block(String line) throws IOException {
        return Markdown.read(Markdown.root().resolve("docs/configuration.md")).blocks().stream()
                .map(Markdown.Block::text)
                .filter(text -> text.contains(line))
                .findFirst()
                .orElseThrow();
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
        ConfigFile read = ConfigFile.read(file, "fraud");
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
