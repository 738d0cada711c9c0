// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.model.TextProto.Malformed;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class YamlTest {
    private static final Path FILE = Path.of("m", ConfigFile.YAML_NAME);

    private static final String WHOLE = """
        # how m is served
        name: m
        max_batch_size: 64      # rows
        default_model_filename: "a.onnx"
        input:
        - name: x
          data_type: TYPE_FP32
          dims: [ 4 ]
        output:
          - { name: 'y', data_type: TYPE_FP32, dims: [1], label_filename: "it's" }
          -
            name: "label"
            dims: []
        version_policy: {latest: {num_versions: 2}}
        instance_group:
          - count: 2
            kind: KIND_CPU
          - {}
        dynamic_batching:
          preferred_batch_size:
            - 8
            - 32
          max_queue_delay_microseconds: 250
          default_queue_policy: { max_queue_size: 512,
             default_timeout_microseconds: 5000 }
          priority_levels: 3
          priority_queue_policy:
            1: { max_queue_size: 64 }
            3:
              default_timeout_microseconds: 9
        optimization:
          graph:
            level: -1
        parameters:
          intra_op_thread_count: 3
          scheduling.weight: 4
          session.set_denormal_as_zero: "1"
        model_warmup:
          - name: typical
            batch_size: 2
            inputs:
              x: { data_type: TYPE_FP32, dims: [4], zero_data: true }
        response_cache:
          enable: true
        """;

    /// The same in protobuf's text.
    private static final String PROTO = """
        name: "m"
        max_batch_size: 64
        default_model_filename: "a.onnx"
        input { name: "x" data_type: TYPE_FP32 dims: 4 }
        output { name: "y" data_type: TYPE_FP32 dims: 1 label_filename: "it's" }
        output { name: "label" }
        version_policy { latest { num_versions: 2 } }
        instance_group [ { count: 2 kind: KIND_CPU }, { } ]
        dynamic_batching {
          preferred_batch_size: [ 8, 32 ]
          max_queue_delay_microseconds: 250
          default_queue_policy { max_queue_size: 512 default_timeout_microseconds: 5000 }
          priority_levels: 3
          priority_queue_policy { key: 1 value { max_queue_size: 64 } }
          priority_queue_policy { key: 3 value { default_timeout_microseconds: 9 } }
        }
        optimization { graph { level: -1 } }
        parameters { key: "intra_op_thread_count" value { string_value: "3" } }
        parameters { key: "scheduling.weight" value { string_value: "4" } }
        parameters { key: "session.set_denormal_as_zero" value { string_value: "1" } }
        model_warmup {
          name: "typical"
          batch_size: 2
          inputs { key: "x" value { data_type: TYPE_FP32 dims: 4 zero_data: true } }
        }
        response_cache { enable: true }
        """;

    @Test
    void shouldSayTheSameAsTheOtherForm() {
        assertThat(shape(YamlFields.read(WHOLE))).isEqualTo(shape(TextProto.parse(PROTO)));
        ConfigFile yaml = ConfigFile.of(FILE, WHOLE, "m");
        ConfigFile proto = ConfigFile.of(Path.of(ConfigFile.NAME), PROTO, "m");
        assertThat(yaml.config()).isEqualTo(proto.config());
        assertThat(yaml.warnings()).isEmpty();
    }

    /// Fields and values without lines and quotes.
    private static String shape(Object value) {
        return switch (value) {
            case TextProto.Message message ->
                message.fields().stream()
                        .map(field -> field.name() + "=" + shape(field.value()))
                        .toList()
                        .toString();
            case TextProto.Scalar scalar -> scalar.text();
            default -> throw new IllegalArgumentException(value.toString());
        };
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a: 1 | [a=1]",
                "a: b: c | [a=b: c]",
                "a: x#y # no | [a=x#y]",
                "a: '#' | [a=#]",
                "a: 'it''s' | [a=it's]",
                "a: \"x\\ty\\\\\" | [a=x\ty\\]",
                "'a b': 1 | [a b=1]",
                "a: [1, 'two', \"three\", x y] | [a=1, a=two, a=three, a=x y]",
                "a: [] | []",
                "a: [1, 2,] | [a=1, a=2]",
                "a: {b: 1, c: [2, 3]} | [a=[b=1, c=2, c=3]]",
                "a: [{b: 1}, {b: 2}] | [a=[b=1], a=[b=2]]",
                "--- # one\u2028a: 1 | [a=1]",
                "a: 1.5e3 | [a=1.5e3]",
                "a: -1 | [a=-1]",
            })
    void shouldReadValues(String text, String shape) {
        assertThat(shape(YamlFields.tree(text.replace('\u2028', '\n')))).isEqualTo(shape);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "a | line 1: expected 'name: value', came 'a'",
                "a: 1;b | line 2: expected 'name: value', came 'b'",
                "a: 1;a: 2 | line 2: 'a' came before, expected it once",
                "a: {b: 1, b: 2} | line 1: 'b' came before, expected it once",
                "a:;b: 1 | line 1: 'a:' has no value, expected one",
                "a: 1;  b: 2 | line 2: the line is indented more than those beside it",
                "`  a: 1;b: 2` | line 2: the line is indented less than the first one",
                "a:;    b: 1;  c: 2 | line 3: the line is indented more than those beside it",
                "a:;\tb: 1 | line 2: a tab came, expected blanks to indent by",
                "a: 1;---;b: 2 | line 2: expected one document, came the mark of another",
                "a: &x 1 | line 1: '&' begins a value, expected it in quotes: anchors, tags, blocks of text and complex"
                        + " keys are not read here",
                "a: *x | line 1: '*' begins a value, expected it in quotes: anchors, tags, blocks of text and complex"
                        + " keys are not read here",
                "a: >;  text | line 1: '>' begins a value, expected it in quotes: anchors, tags, blocks of text and"
                        + " complex keys are not read here",
                "a: [1, !x 2] | line 1: '!' begins a value, expected it in quotes",
                "a: [1;b: 2 | line 1: expected ',' or ']', came the end",
                "a: {b} | line 1: expected 'name: value' in braces, came '}'",
                "a: 'x | line 1: a text in quotes has no end",
                "a: \"\\q\" | line 1: '\\q' is no escape in a text that is read here",
                "a: 'x' y | line 1: expected the end of the line, came 'y'",
                "a:;  - [1, [2]] | line 1: 'a' is a list of lists, expected one of values",
                "- a | line 1: expected 'name: value', came '- a'",
                ": 1 | line 1: expected a name before ':', came none",
            })
    void shouldSayWhereATextIsWrong(String text, String problem) {
        assertThatThrownBy(() -> YamlFields.tree(text.replace(';', '\n')))
                .isInstanceOf(Malformed.class)
                .hasMessage(problem);
    }

    @Test
    void shouldNameTheFileAndTheLineOfAWrongValue() {
        assertThatThrownBy(() -> ConfigFile.of(FILE, "name: m\nmax_batch_size: many\n", "m"))
                .hasMessage(FILE + ": line 2: max_batch_size is many, expected a whole number from 0 to 2147483647");
        assertThatThrownBy(() -> ConfigFile.of(FILE, "parameters: fast\n", "m"))
                .hasMessage(FILE + ": line 1: parameters is 'fast', expected names with values");
        assertThat(ConfigFile.of(FILE, "name: m\nnonsense:\n  - 3\nparameters:\n  speed: 9\n", "m")
                        .warnings())
                .containsExactly(
                        "field 'nonsense' (line 2) is not known and has no effect",
                        "parameter 'speed' (line 5) is not known and has no effect");
        assertThat(ConfigFile.of(FILE, "# nothing\n", "m").config()).isEqualTo(ModelConfig.DEFAULT);
    }

    @Test
    void shouldRefuseWhatIsNestedTooDeeply() {
        assertThatThrownBy(() -> YamlFields.tree("a: " + "[".repeat(100_000)))
                .hasMessageContaining("nested deeper than 64");
        StringBuilder deep = new StringBuilder();
        for (int depth = 0; depth < 1000; depth++) {
            deep.append(" ".repeat(depth)).append("a:\n");
        }
        assertThatThrownBy(() -> YamlFields.tree(deep.toString())).hasMessageContaining("nested deeper than 64");
        assertThatThrownBy(() -> YamlFields.tree("a:\n" + "- ".repeat(10_000) + "1"))
                .hasMessageContaining("nested deeper");
    }

    /// Whatever is in the file, it is read or refused with its name, and a text that is no YAML with a line.
    @Test
    void shouldReadOrRefuseWhenTheFileIsDamaged() {
        SplittableRandom random = new SplittableRandom(20261122);
        int read = 0;
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            String text = ConfigFileTest.damaged(WHOLE, random);
            try {
                assertThat(ConfigFile.of(FILE, text, "m").config()).isNotNull();
                read++;
            } catch (ConfigFile.Invalid e) {
                assertThat(e).as(text).hasMessageStartingWith(FILE + ": ");
                assertThat(e.getMessage()).as(text).doesNotContain("null", "Exception");
                refused++;
            }
            try {
                YamlFields.tree(text);
            } catch (Malformed e) {
                assertThat(e).as(text).hasMessageMatching("(?s)line [1-9][0-9]*: .+");
            }
        }
        assertThat(read).isGreaterThan(100);
        assertThat(refused).isGreaterThan(100);
    }
}
