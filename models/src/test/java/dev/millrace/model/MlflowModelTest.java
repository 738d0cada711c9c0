// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.model.ModelRepository.Entry;
import dev.millrace.model.ModelRepository.Version;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Folders written by hand as MLflow writes them.
class MlflowModelTest {
    /// With a text in quotes that goes over lines and null, neither of which configurations here have.
    private static final String MLMODEL = """
        artifact_path: model
        flavors:
          onnx:
            code: null
            data: %s
            onnx_version: 1.17.0
            providers:
            - CUDAExecutionProvider
            - CPUExecutionProvider
            providers_options: null
          python_function:
            data: model.onnx
            env:
              conda: conda.yaml
              virtualenv: python_env.yaml
            loader_module: mlflow.onnx
            python_version: 3.12.3
        mlflow_version: 2.19.0
        model_size_bytes: 345
        model_uuid: 0b6a2f6b8c674fa0a3c9e9a7f3a2b111
        run_id: 1f0e7d9dd3a04b9b8c5f0a4d7b0c2e55
        signature:
          inputs: '[{"type": "tensor", "name": "x", "tensor-spec": {"dtype": "float32",
            "shape": [-1, 4]}}]'
          outputs: '[{"type": "tensor", "name": "y", "tensor-spec": {"dtype": "float32",
            "shape": [-1, 4]}}]'
          params: null
        utc_time_created: '2025-01-05 12:00:00.123456'
        """;

    @TempDir
    Path root;

    private Path save(String folder, String mlmodel, String file) throws IOException {
        Path to = root.resolve(folder);
        Files.createDirectories(to.resolve(file).getParent());
        Files.writeString(to.resolve("MLmodel"), mlmodel);
        Files.writeString(to.resolve("conda.yaml"), "name: mlflow-env\n");
        try {
            Path rows = Path.of(
                    MlflowModelTest.class.getResource("/models/rows.onnx").toURI());
            return Files.copy(rows, to.resolve(file));
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private ConfiguredModel configured() throws IOException {
        Entry entry = ModelRepository.scan(List.of(root)).getFirst();
        assertThat(entry.problem()).isEmpty();
        return ConfiguredModel.of(entry, ModelConfig.DEFAULT);
    }

    private void assertLoads(ConfiguredModel configured, long version, Path file) {
        Version found = configured.versions().getLast();
        assertThat(found.number()).isEqualTo(version);
        assertThat(configured.file(found)).isEqualTo(file);
        try (OnnxModel model = OnnxModel.load(configured.file(found), configured.settings(1))) {
            assertThat(model.signature().inputs()).hasSize(1);
        }
    }

    @Test
    void shouldLoadAModelsFolderAsVersionOne() throws IOException {
        Path file = save("fraud", MLMODEL.formatted("model.onnx"), "model.onnx");
        assertLoads(configured(), 1, file);
    }

    @Test
    void shouldLoadAVersionsFolder() throws IOException {
        save("fraud/1", MLMODEL.formatted("model.onnx"), "model.onnx");
        Path file = save("fraud/12", MLMODEL.formatted("\"data/net.onnx\""), "data/net.onnx");
        assertLoads(configured(), 12, file);
    }

    @Test
    void shouldTakeTheFileThatTheConfigurationNames() throws IOException {
        Path file = save("fraud/1", MLMODEL.formatted("model.onnx"), "other.onnx");
        Files.writeString(root.resolve("fraud/model.yaml"), "default_model_filename: other.onnx\n");
        assertLoads(configured(), 1, file);
    }

    @Test
    void shouldTakeMlmodelItselfForTheModel() throws IOException {
        save("fraud", MLMODEL.formatted("model.onnx"), "model.onnx");
        OnnxModel.load(root.resolve("fraud/MLmodel"), SessionSettings.DEFAULT).close();
    }

    @Test
    void shouldRefuseVersionsBesideMlmodel() throws IOException {
        save("fraud", MLMODEL.formatted("model.onnx"), "model.onnx");
        Files.createDirectories(root.resolve("fraud/2"));
        assertThat(ModelRepository.scan(List.of(root)).getFirst().problem())
                .contains(
                        "version folders and MLmodel are both in " + root.resolve("fraud") + ", expected one of them");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "flavors:\\n  python_function:\\n    loader_module: mlflow.sklearn\\n  sklearn:\\n    data: a "
                        + "| has the flavors [python_function, sklearn], expected onnx among them",
                "flavors:\\n  'onnx':\\n    onnx_version: 1\\n  b:\\n    data: a "
                        + "| has no flavors.onnx.data, expected the name of the model file",
                "run_id: 1 | has no flavors, expected onnx among them",
                "flavors: {} | has flavors '{}', expected them in lines of their own",
                "flavors:\\n  onnx:\\n    data: ../model.onnx "
                        + "| has flavors.onnx.data '../model.onnx', expected a file in its folder",
                "flavors:\\n  onnx:\\n    data: /etc/passwd "
                        + "| has flavors.onnx.data '/etc/passwd', expected a file in its folder",
                "flavors:\\n  onnx:\\n    data: . | has flavors.onnx.data '.', expected a file in its folder",
                "flavors:\\n  onnx:\\n    data: [a "
                        + "| cannot be read at flavors.onnx: line 1: expected ',' or ']', came the end",
                "flavors:\\n  onnx: model.onnx | has no flavors.onnx.data, expected the name of the model file",
                "flavors:\\n  onnx: | has no flavors.onnx.data, expected the name of the model file",
                "`` | has no flavors, expected onnx among them",
            })
    void shouldSayWhyThereIsNoModelInIt(String mlmodel, String message) throws IOException {
        save("fraud", mlmodel.replace("\\n", "\n"), "model.onnx");
        ConfiguredModel configured = configured();
        Path file = configured.file(configured.versions().getLast());
        assertThat(file).isEqualTo(root.resolve("fraud/MLmodel"));
        assertThatThrownBy(() -> OnnxModel.load(file, SessionSettings.DEFAULT))
                .isInstanceOf(ConfigFile.Invalid.class)
                .hasMessage("MLmodel " + message);
    }

    @Test
    void shouldSayThatTheFileIsMissing() throws IOException {
        Files.delete(save("fraud", MLMODEL.formatted("model.onnx"), "model.onnx"));
        ConfiguredModel configured = configured();
        Path file = configured.file(configured.versions().getLast());
        assertThatThrownBy(() -> OnnxModel.load(file, SessionSettings.DEFAULT))
                .hasMessage("there is no file " + root.resolve("fraud/model.onnx"));
    }
}
