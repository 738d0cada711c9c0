// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.VersionMemory;
import dev.millrace.model.ModelConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Loads and requests under a limit for memory: what does not fit is refused with the numbers, the rest is served.
class MemoryLimitTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path root;

    private Millrace open(long bytes, String... models) {
        return Millrace.open(
                RuntimeConfig.DEFAULT.withAgents(1).withMemoryBytes(bytes), TestModels.repository(root, models));
    }

    private static InferenceException refused(Model model, Request request) {
        return catchThrowableOfType(InferenceException.class, () -> model.predict(request));
    }

    /// Appends a description to the file, which is valid and means nothing.
    private void describe(String model, int bytes) throws IOException {
        Path file = root.resolve(model).resolve("1/model.onnx");
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.APPEND)) {
            out.write((6 << 3) | 2);
            for (int rest = bytes; rest > 0; rest >>>= 7) {
                out.write(rest > 0x7F ? (rest & 0x7F) | 0x80 : rest);
            }
            out.write(new byte[bytes]);
        }
    }

    @Test
    void shouldNotServeAModelThatDoesNotFitAndServeTheOthers() throws IOException {
        TestModels.repository(root, "scalar");
        describe("scalar", (int) (4 * MIB));
        try (Millrace millrace = open(64 * MIB, "mlp")) {
            assertThat(millrace.status()).extracting(ModelStatus::model).containsExactly("mlp", "scalar");
            assertThat(millrace.status()).extracting(ModelStatus::ready).containsExactly(true, false);
            assertThat(millrace.status().getLast().reason())
                    .containsPattern("\\d+ bytes for model do not fit into the memory of models: \\d+ of " + 40 * MIB
                            + " bytes are used")
                    .containsPattern("weights \\d+, the largest a second time \\d+")
                    .contains("the session " + 4 * MIB);
            Model mlp = millrace.model("mlp");
            assertThat(mlp.predict(mlp.request().set("features", new float[64])).outputs())
                    .isNotEmpty();
        }
    }

    @Test
    void shouldHoldAModelToALimitOfItsOwn() {
        TestModels.repository(root, "mlp", "variable_shapes");
        RuntimeConfig config = RuntimeConfig.DEFAULT
                .withModel("mlp", ModelConfig.DEFAULT.withMemoryLimit(MIB))
                .withModel("variable_shapes", ModelConfig.DEFAULT.withMemoryLimit(8 * MIB));
        try (Millrace millrace = Millrace.open(config, root)) {
            assertThat(millrace.status()).extracting(ModelStatus::ready).containsExactly(false, true);
            assertThat(millrace.status().getFirst().reason())
                    .contains("do not fit into the memory of model 'mlp' version 1: 0 of " + MIB + " bytes are used");
            Model shapes = millrace.model("variable_shapes");
            Request huge = shapes.request().set("x", new long[] {2, 4 << 20}, new float[8 << 20]);
            InferenceException refusal = refused(shapes, huge);
            assertThat(refusal.outcome()).isEqualTo(Outcome.TOO_LARGE);
            assertThat(refusal).hasMessageContaining("do not fit into the tensors of model 'variable_shapes'");
        }
    }

    @Test
    void shouldServeTheSameModelWhenThereIsRoom() throws IOException {
        TestModels.repository(root, "scalar");
        describe("scalar", (int) (4 * MIB));
        try (Millrace millrace = open(256 * MIB)) {
            assertThat(millrace.status()).extracting(ModelStatus::ready).containsExactly(true);
        }
    }

    @Test
    void shouldRefuseARequestThatCanNeverFitAsTooLarge() {
        try (Millrace millrace = open(8 * MIB, "variable_shapes")) {
            Model model = millrace.model("variable_shapes");
            InferenceException refused = refused(model, request(model, 1 << 20));

            assertThat(refused.outcome()).isEqualTo(Outcome.TOO_LARGE);
            assertThat(refused)
                    .hasMessageContaining(
                            (4 << 20) + " bytes for call do not fit into the memory of tensors: 0 of " + 2 * MIB);
            assertThat(model.predict(request(model, 100)).outputs()).isNotEmpty();
        }
    }

    private static Request request(Model model, int elements) {
        Request request = model.request();
        model.signature().inputs().forEach(input -> {
            long[] shape = new long[input.shape().size()];
            java.util.Arrays.fill(shape, 1);
            shape[shape.length - 1] = elements;
            request.set(input.name(), shape, new float[elements]);
        });
        return request;
    }

    @Test
    void shouldRefuseARequestThatDoesNotFitNowAsOverloaded() {
        try (Millrace millrace = open(8 * MIB, "variable_shapes")) {
            Model model = millrace.model("variable_shapes");
            Request large = request(model, 1 << 17);
            try (Call holder = model.call()) {
                holder.input(0).reshape(1, 7 << 16);

                InferenceException refused = refused(model, large);

                assertThat(refused.outcome()).isEqualTo(Outcome.OVERLOADED);
                assertThat(refused).hasMessageContaining((7 << 18) + " of " + 2 * MIB + " bytes are used");
            }
            assertThat(model.predict(large).outputs()).isNotEmpty();
        }
    }

    @Test
    void shouldRefuseWhenThereIsNoMemoryForTheAnswer() {
        try (Millrace millrace = open(8 * MIB, "mlp");
                Call call = millrace.model("mlp").call()) {
            MemoryBudget tensors = millrace.memory().tensors();
            call.rows(64);
            long left = tensors.left();
            tensors.reserve(MemoryTag.CALL, left);

            assertThat(call.run()).isEqualTo(Outcome.OVERLOADED);
            assertThat(call.message()).contains("do not fit into the memory of tensors");

            tensors.release(MemoryTag.CALL, left);
            assertThat(call.run()).isEqualTo(Outcome.OK);
            assertThat(call.message()).isEmpty();
        }
    }

    @Test
    void shouldKeepLittleOfWhatHugeRequestsHeld() {
        try (Millrace millrace = open(1024 * MIB, "variable_shapes")) {
            Model model = millrace.model("variable_shapes");
            for (int i = 0; i < 4; i++) {
                model.predict(request(model, 4 << 20));
                model.predict(request(model, 1));
                assertThat(millrace.memory().tensors().used()).isLessThan(17 * MIB);
            }
        }
    }

    /// Requests of random sizes at the same time: each is answered or refused, the limit holds, and in the end nothing
    /// is booked.
    @Test
    void shouldBookAsMuchAsItReleases() {
        for (int seed = 0; seed < 5; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Millrace millrace = open(16 * MIB, "variable_shapes", "mlp");
            Model model = millrace.model("variable_shapes");
            List<CompletableFuture<Prediction>> all = new ArrayList<>();
            int refused = 0;
            for (int i = 0; i < 100; i++) {
                try {
                    all.add(model.predictAsync(request(model, 1 << random.nextInt(20))));
                } catch (InferenceException e) {
                    assertThat(e.outcome()).isIn(Outcome.OVERLOADED, Outcome.TOO_LARGE);
                    refused++;
                }
                assertThat(millrace.memory().tensors().used())
                        .isLessThanOrEqualTo(millrace.memory().tensors().limit());
            }
            all.forEach(MemoryLimitTest::end);
            assertThat(refused).as("seed %d", seed).isPositive();
            assertThat(model.predict(request(model, 1)).outputs()).isNotEmpty();
            long byModel = millrace.memoryOfModels().stream()
                    .map(VersionMemory::tensors)
                    .mapToLong(MemoryBudget::used)
                    .sum();
            assertThat(millrace.memory().tensors().used()).isEqualTo(byModel);
            millrace.close();
            assertThat(millrace.memory().all())
                    .as("seed %d", seed)
                    .extracting(MemoryBudget::used)
                    .containsOnly(0L);
            clean();
        }
    }

    /// Waits for an answer, or that there was no room for it.
    private static void end(CompletableFuture<Prediction> one) {
        try {
            one.join();
        } catch (CompletionException e) {
            assertThat(e.getCause()).isInstanceOf(InferenceException.class);
            assertThat(((InferenceException) e.getCause()).outcome()).isIn(Outcome.OVERLOADED, Outcome.TOO_LARGE);
        }
    }

    private void clean() {
        try (var files = Files.walk(root)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                if (!file.equals(root)) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
