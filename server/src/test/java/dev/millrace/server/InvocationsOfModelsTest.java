// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Lines of numbers for models of every kind, each alone on a server, as SageMaker has them.
class InvocationsOfModelsTest {
    @TempDir
    Path repository;

    private TestServer serving(String model) throws IOException {
        Path version = Files.createDirectories(repository.resolve(model + "/1"));
        Files.copy(TestServer.models().resolve(model + "/1/model.onnx"), version.resolve("model.onnx"));
        return TestServer.start(_ -> ServerConfig.of(repository).withPort(0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "INT8 | -128,127 | 128",
                "UINT8 | 0,255 | 256",
                "INT16 | -32768,32767 | -32769",
                "UINT16 | 0,65535 | -1",
                "INT32 | -2147483648,2147483647 | 9223372036854775808",
                "UINT32 | 0,4294967295 | 4294967296",
                "INT64 | -9223372036854775808,9223372036854775807 | 9223372036854775808",
                "UINT64 | 0,18446744073709551615 | 18446744073709551616",
                "FP16 | 65504.0,0.5 | 65520",
                "FP32 | NaN,-Infinity | 3.5e38",
                "FP64 | 0.1,-0.0 | 1e309"
            })
    void shouldReadNumbersOfEveryType(String type, String line, String beyond) throws IOException {
        try (TestServer server = serving("echo_" + type.toLowerCase(Locale.ROOT))) {
            assertThat(InvocationsTest.csv(server, line).body()).isEqualTo(line + "\n");
            assertThat(InvocationsTest.csv(server, line + "\n" + line).body()).isEqualTo(line + "\n" + line + "\n");
            assertThat(InvocationsTest.csv(server, line + "\n0," + beyond).error())
                    .isEqualTo("line 2, column 2 is " + beyond + ", which is out of the range of " + type);
        }
    }

    @Test
    void shouldTakeAFlatInputByLinesOrInOneLine() throws IOException {
        try (TestServer server = serving("gather")) {
            assertThat(InvocationsTest.csv(server, "0,2,1").body())
                    .isEqualTo("10,30,20\n".replace(",", ".0,").replace("\n", ".0\n"));
            assertThat(InvocationsTest.csv(server, "0\n2\n").body()).isEqualTo("10.0\n30.0\n");
            assertThat(InvocationsTest.csv(server, "0\n2", "Accept", "application/json")
                            .body())
                    .isEqualTo("{\"predictions\":[10.0,30.0]}");
            assertThat(InvocationsTest.csv(server, "0,1\n2,1").error())
                    .isEqualTo("there are 2 lines of 2 columns, expected one line, or one column, for an input of shape"
                            + " [-1]");
            assertThat(InvocationsTest.csv(server, "0.5").error())
                    .isEqualTo("line 1, column 1 is '0.5', expected an integer");
        }
    }

    @Test
    void shouldSayThatThereIsMoreThanOneInput() throws IOException {
        try (TestServer server = serving("two_in")) {
            assertThat(InvocationsTest.csv(server, "1,2").error())
                    .contains("text/csv is for models of one input of numbers", "model 'two_in' has 2 inputs");
        }
    }

    @Test
    void shouldSayThatAnInputIsNoNumbers() throws IOException {
        try (TestServer server = serving("string_only")) {
            assertThat(InvocationsTest.csv(server, "1,2").error())
                    .contains("model 'string_only' has one of BYTES and shape [-1, 1]");
        }
    }
}
