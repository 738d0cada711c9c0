// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.Tensor;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.Signature;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The response cache with real models of every kind.
class CachedModelsTest {
    @TempDir
    private Path root;

    private static LaneStatistics statistics(Millrace millrace, String model) {
        return millrace.statistics().stream()
                .filter(statistics -> statistics.model().equals(model))
                .findFirst()
                .orElseThrow();
    }

    private static void fill(Call call, SplittableRandom random) {
        Signature signature = call.signature();
        for (int i = 0; i < signature.inputs().size(); i++) {
            Tensor input = call.input(i);
            long[] shape = signature.inputs().get(i).dims();
            Arrays.setAll(shape, axis -> shape[axis] < 0 ? 2 : shape[axis]);
            input.reshape(shape);
            for (int element = 0; element < input.elementCount(); element++) {
                if (input.datatype() == DataType.BYTES) {
                    input.setString(element, "text " + random.nextInt(3));
                } else if (input.datatype().isFloating()) {
                    input.setReal(element, random.nextInt(3));
                } else {
                    input.setLong(element, random.nextInt(2));
                }
            }
        }
    }

    private static Object answer(Call call) {
        Prediction prediction = Prediction.of(call);
        return call.signature().outputs().stream()
                .map(output -> {
                    Prediction.Output value = prediction.output(output.name());
                    Object values = IntStream.range(0, java.lang.reflect.Array.getLength(value.values()))
                            .mapToObj(i -> java.lang.reflect.Array.get(value.values(), i))
                            .toList();
                    return value.shape() + " " + value.keys() + values;
                })
                .toList();
    }

    @Test
    void shouldGiveTheSameAnswerAgainWhenModelsHaveTensorsOfAnyKind() {
        String[] models = {"mlp", "strings", "zip_map", "types", "variable_shapes", "two_inputs", "scalar", "unsigned"};
        RuntimeConfig config = RuntimeConfig.DEFAULT.withAgents(1).withResponseCacheBytes(1 << 20);
        for (String model : models) {
            config = config.withModel(model, ModelConfig.DEFAULT.withResponseCache(true));
        }
        try (Millrace millrace = Millrace.open(config, TestModels.repository(root, models))) {
            for (String model : models) {
                try (Call first = millrace.model(model).call();
                        Call second = millrace.model(model).call()) {
                    fill(first, new SplittableRandom(1));
                    fill(second, new SplittableRandom(1));
                    assertThat(first.run()).as(model + first.message()).isEqualTo(Outcome.OK);
                    assertThat(second.run()).as(model + second.message()).isEqualTo(Outcome.OK);

                    assertThat(answer(second)).as(model).isEqualTo(answer(first));
                    LaneStatistics statistics = statistics(millrace, model);
                    assertThat(statistics.cacheHits()).as(model).isOne();
                    assertThat(statistics.cacheMisses()).as(model).isOne();
                    assertThat(statistics.batches()).as(model).isOne();
                    assertThat(statistics.cacheHitNanos()).isPositive();
                }
            }
        }
        assertThat(NativeMemory.used(MemoryTag.CACHE)).isZero();
    }

    @Test
    void shouldKeepAnswersOnlyOfModelsThatAskForIt() throws Exception {
        TestModels.repository(root, "mlp", "two_inputs");
        Files.writeString(root.resolve("mlp/config.pbtxt"), "response_cache { enable: true }");
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT.withAgents(1), root)) {
            for (String model : new String[] {"mlp", "mlp", "two_inputs", "two_inputs"}) {
                try (Call call = millrace.model(model).call()) {
                    fill(call, new SplittableRandom(1));
                    assertThat(call.run()).isEqualTo(Outcome.OK);
                }
            }
            assertThat(statistics(millrace, "mlp").cacheHits()).isOne();
            assertThat(statistics(millrace, "two_inputs").cacheHits()).isZero();
            assertThat(statistics(millrace, "two_inputs").cacheMisses()).isZero();
            assertThat(millrace.memory().tensors().used(MemoryTag.CACHE)).isEqualTo(64 << 20);
        }
    }

    @Test
    void shouldTakeAQuarterOfTheTensorsMemoryAtMost() {
        RuntimeConfig config = RuntimeConfig.DEFAULT
                .withAgents(1)
                .withMemoryBytes(64 << 20)
                .withModel("mlp", ModelConfig.DEFAULT.withResponseCache(true));
        try (Millrace millrace = Millrace.open(config, TestModels.repository(root, "mlp"))) {
            assertThat(millrace.responseCache().limitBytes()).isEqualTo(4 << 20);
        }
    }

    /// Many threads ask for few things; some find what others keep, and every answer is that of its inputs.
    @Test
    void shouldAnswerRightWhenThreadsAskForTheSame() {
        RuntimeConfig config = RuntimeConfig.DEFAULT
                .withAgents(2)
                .withResponseCacheBytes(2048)
                .withModel("mlp", ModelConfig.DEFAULT.withResponseCache(true));
        try (Millrace millrace = Millrace.open(config, TestModels.repository(root, "mlp"))) {
            Model model = millrace.model("mlp");
            float[][] expected = new float[20][];
            for (int i = 0; i < expected.length; i++) {
                expected[i] = model.predict(model.request().set("features", features(i)))
                        .floats("score");
            }
            CompletableFuture<?>[] threads = new CompletableFuture<?>[4];
            for (int t = 0; t < threads.length; t++) {
                SplittableRandom random = new SplittableRandom(t);
                threads[t] = CompletableFuture.runAsync(() -> {
                    for (int step = 0; step < 2000; step++) {
                        int which = random.nextInt(expected.length);
                        float[] answer = model.predict(model.request().set("features", features(which)))
                                .floats("score");
                        assertThat(answer).usingComparatorWithPrecision(1e-5f).containsExactly(expected[which]);
                    }
                });
            }
            CompletableFuture.allOf(threads).join();
            LaneStatistics statistics = statistics(millrace, "mlp");
            assertThat(statistics.cacheHits()).isPositive();
            assertThat(millrace.responseCache().evictions()).isPositive();
            assertThat(statistics.cacheHits() + statistics.cacheMisses()).isEqualTo(8020);
            assertThat(statistics.accepted()).isEqualTo(8020);
            assertThat(statistics.ended()).containsEntry(Outcome.OK, 8020L);
        }
    }

    private static float[] features(int seed) {
        float[] features = new float[64];
        Arrays.fill(features, seed);
        return features;
    }
}
