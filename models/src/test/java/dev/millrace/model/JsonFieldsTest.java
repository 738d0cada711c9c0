// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JsonFieldsTest {
    private static final String WHOLE = """
        {
          "name": "m", "platform": "onnxruntime_onnx", "maxBatchSize": 64, "default_model_filename": null,
          "input": [ { "name": "x", "dataType": "TYPE_FP32", "dims": ["4"] } ],
          "output": [ { "name": "y", "data_type": "TYPE_FP32", "dims": [1] } ],
          "versionPolicy": { "specific": { "versions": [1, "3"] } },
          "instanceGroup": [ { "count": 2, "kind": "KIND_CPU", "gpus": [] } ],
          "dynamicBatching": {
            "preferredBatchSize": [8, 32],
            "maxQueueDelayMicroseconds": "250",
            "priorityLevels": "2", "defaultPriorityLevel": "2",
            "priorityQueuePolicy": { "1": { "maxQueueSize": 64 } }
          },
          "parameters": { "execution_mode": { "stringValue": "1" }, "aliases.best\\u0041": { "string_value": "3" } },
          "responseCache": { "enable": true }
        }
        """;

    private static final String PROTO = """
        name: "m" platform: "onnxruntime_onnx" max_batch_size: 64
        input { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }
        output { name: "y" data_type: TYPE_FP32 dims: [ 1 ] }
        version_policy { specific { versions: [ 1, 3 ] } }
        instance_group { count: 2 kind: KIND_CPU }
        dynamic_batching {
          preferred_batch_size: [ 8, 32 ]
          max_queue_delay_microseconds: 250
          priority_levels: 2 default_priority_level: 2
          priority_queue_policy { key: 1 value { max_queue_size: 64 } }
        }
        parameters { key: "execution_mode" value { string_value: "1" } }
        parameters { key: "aliases.bestA" value { string_value: "3" } }
        response_cache { enable: true }
        """;

    private static ConfigFile read(String text) {
        return ConfigFile.json(Path.of("m"), text, "m");
    }

    @Test
    void shouldSayWhatProtobufsTextSays() {
        ConfigFile json = read(WHOLE);
        assertThat(json.warnings()).isEmpty();
        assertThat(json.config())
                .isEqualTo(ConfigFile.of(Path.of("config.pbtxt"), PROTO, "m").config());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[] | line 1: expected '{', came '['",
                "{ | line 1: expected '\"', came the end",
                "{\"a\": 1,} | line 1: expected '\"', came '}'",
                "{\"a\": tru} | line 1: expected a value, came '}'",
                "{\"a\": 01x} | line 1: expected a value, came '}'",
                "{\"a\": \"b | line 1: a string has no end, came the end",
                "{\"a\": \"\\q\"} | line 1: '\\q' is no escape, came '\"'",
                "{\"a\": \"\\u12\"} | line 1: an escape has no four digits, came '1'",
                "{\"a\": [1 2]} | line 1: expected ']', came '2'",
                "{} {} | line 1: expected the end, came '{'"
            })
    void shouldSayWhereATextIsNoJson(String text, String problem) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(ConfigFile.Invalid.class)
                .hasMessageEndingWith(problem);
    }

    @Test
    void shouldRefuseObjectsThatAreNestedDeeply() {
        assertThatThrownBy(() -> read("{\"a\":".repeat(100))).hasMessageContaining("objects are nested deeper than 64");
    }

    @Test
    void shouldReadOrRefuseWhateverItIsGiven() {
        for (long seed = 0; seed < 3000; seed++) {
            String text = ConfigFileTest.damaged(WHOLE, new SplittableRandom(seed));
            try {
                assertThat(read(text).config()).isNotNull();
            } catch (ConfigFile.Invalid e) {
                assertThat(e).hasMessageStartingWith("m/config: ");
            }
        }
    }
}
