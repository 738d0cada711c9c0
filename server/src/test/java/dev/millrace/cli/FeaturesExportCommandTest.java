// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace features export` as it is called.
class FeaturesExportCommandTest {
    private static final String HEAD = """
        apiVersion: v1
        kind: FeaturePipeline
        name: small
        version: 2
        request:
          - {name: amount, type: float64, required: true}
          - {name: country, type: string}
          - {name: seen, type: timestamp}
        features:
        """;
    private static final String END = "output: {tensor: in, type: float32, layout: row}\n";

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String features) throws IOException {
        Path spec = Files.writeString(folder.resolve("features.yaml"), HEAD + features + END);
        return export(spec);
    }

    private int export(Path spec) {
        String[] arguments = {"features", "export", spec.toString(), "--out", model().toString()};
        return Main.run(new PrintWriter(out), new PrintWriter(err), arguments);
    }

    private Path model() {
        return folder.resolve("preprocessing.onnx");
    }

    @Test
    void shouldWriteAGraphThatComputesTheColumns() throws IOException {
        int status = run("""
              - {name: amount_z, input: amount, transform: [{standardize: {mean: 10, std: 2}}]}
              - {name: land, input: country, default: 9, transform: [{vocab: {values: [CH, DE], unknown: reject}}]}
            """);

        assertThat(err.toString()).isEmpty();
        assertThat(status).isZero();
        assertThat(out.toString())
                .contains("inputs    amount, amount__present, country, country__present\n")
                .contains("outputs   in, rejected\n");
        try (OnnxSession session = OnnxSession.open(model(), SessionSettings.DEFAULT);
                TensorRunner runner = session.tensorRunner();
                Tensor amount = new Tensor(MemoryTag.CALL, DataType.FP64);
                Tensor hasAmount = new Tensor(MemoryTag.CALL, DataType.BOOL);
                Tensor country = new Tensor(MemoryTag.CALL, DataType.BYTES);
                Tensor hasCountry = new Tensor(MemoryTag.CALL, DataType.BOOL);
                Tensor in = new Tensor(MemoryTag.CALL, DataType.FP32);
                Tensor rejected = new Tensor(MemoryTag.CALL, DataType.BOOL)) {
            assertThat(session.inputs())
                    .extracting(ValueInfo::datatype)
                    .containsExactly(DataType.FP64, DataType.BOOL, DataType.BYTES, DataType.BOOL);
            String[] countries = {"DE", "FR", "", "CH"};
            for (Tensor tensor : List.of(amount, hasAmount, country, hasCountry)) {
                tensor.reshape(4, 1);
            }
            for (int row = 0; row < 4; row++) {
                amount.setDouble(row, 13 + row);
                hasAmount.setLong(row, row == 3 ? 0 : 1);
                country.setString(row, countries[row]);
                hasCountry.setLong(row, row == 2 ? 0 : 1);
            }

            runner.run(new Tensor[] {amount, hasAmount, country, hasCountry}, new Tensor[] {in, rejected});

            assertThat(in.shape()).containsExactly(4, 2);
            assertThat(in.getFloat(0)).isEqualTo(1.5f);
            assertThat(in.getFloat(1)).isEqualTo(1f);
            assertThat(in.getFloat(5)).isEqualTo(9f);
            assertThat(rejected.getLong(0)).isZero();
            assertThat(rejected.getLong(1)).isOne();
            assertThat(rejected.getLong(2)).isZero();
            assertThat(rejected.getLong(3)).isOne();
        }
    }

    @Test
    void shouldNameAllThatCannotBeWritten() throws IOException {
        int status = run("""
              - {name: a, input: country, transform: [{hash: {buckets: 9, algorithm: murmur3_x86_32}}]}
              - {name: b, input: seen, transform: [{datetime: {part: hour, zone: Europe/Zurich}}]}
              - name: c
                inputs: [country, country]
                transform:
                  - {cross: {buckets: 9, algorithm: murmur3_x86_32}}
              - {name: d, input: country, transform: [{vocab: {values: [x], unknown: hash, oov_buckets: 2}}]}
              - {name: f, inputs: [country, country], transform: [equal]}
              - {name: e, input: seen, transform: [{cyclical: {part: hour, zone: '+02:00', fn: sin}}]}
            """);

        assertThat(status).isEqualTo(1);
        assertThat(model()).doesNotExist();
        assertThat(err.toString().lines())
                .satisfiesExactly(
                        line -> assertThat(line)
                                .startsWith("millrace: features.yaml:10:43: features.a.transform[0].hash: murmur3")
                                .contains("expected"),
                        line -> assertThat(line)
                                .startsWith("millrace: features.yaml:11:40: features.b.transform[0].datetime.zone: '"
                                        + "Europe/Zurich' came"),
                        line -> assertThat(line)
                                .startsWith("millrace: features.yaml:15:9: features.c.transform[0].cross: murmur3"),
                        line -> assertThat(line)
                                .startsWith("millrace: features.yaml:16:43: features.d.transform[0].vocab.unknown: '"
                                        + "hash' came"),
                        line -> assertThat(line)
                                .startsWith("millrace: features.yaml:17:55: features.f.transform[0].equal: two texts"));
    }

    @Test
    void shouldRefuseNamesThatTheGraphNeeds() throws IOException {
        Path spec = Files.writeString(
                folder.resolve("features.yaml"),
                HEAD.replace("country", "amount__present") + "  - {name: a, input: amount}\n" + END);

        assertThat(export(spec)).isEqualTo(1);
        assertThat(err.toString()).contains("features.yaml:1:1: file: 'amount__present' is a name that the graph has");
        assertThat(model()).doesNotExist();
    }
}
