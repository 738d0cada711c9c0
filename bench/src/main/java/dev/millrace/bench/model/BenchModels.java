// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import dev.millrace.memory.DataType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/// The models that are benched, made from a fixed seed: nothing is downloaded and every machine runs the same weights.
/// They are FP32 throughout and have one input and one output, whose leading dimension is the batch.
///
/// A further model is one more constant and its entry in the table. Threads: stateless.
public final class BenchModels {
    /// The input of all models but the one over images.
    public static final String INPUT = "features";
    /// Their output.
    public static final String OUTPUT = "score";

    private static final long SEED = 0x6d696c6c72616365L;

    /// A small scorer, for which every microsecond around it shows.
    public static final BenchModel MLP = mlp(64, 128, 64, 1);

    /// As good as no model: what it takes is what the way to the model takes.
    public static final BenchModel IDENTITY = new BenchModel("identity-4", identity());

    /// A scorer with 1.8 million weights, more than the nearest caches hold.
    public static final String LARGE_MLP = "mlp-256-1024-1024-512-1";

    /// Three convolutions over a picture: 600 KB in a row.
    public static final String IMAGES = "cnn-3x224x224";

    /// As gradient boosting makes them: 500 trees, 8 decisions deep, over 64 features.
    public static final String TREES = "trees-500x8";

    /// Two convolutions over a picture of 1 KB, the second with 1.8 million weights that every row goes through anew: a
    /// row costs the same in any batch.
    public static final String STEADY = "cnn-1x16x16";

    /// Answers a row with itself, after a run that takes as long as the largest number in it says; see [Loop].
    public static final String LOOP = "loop-4";

    /// A perceptron that fails when a number of a row is [#BAD]; the run does all of its work before.
    public static final String PICKY = "picky-64-1024-1024-1";

    /// The least number that [#PICKY] fails at.
    public static final float BAD = Picky.FIRST_BAD;

    private static final Map<String, Supplier<BenchModel>> ALL = new TreeMap<>(Map.of(
            MLP.name(),
            () -> MLP,
            IDENTITY.name(),
            () -> IDENTITY,
            LARGE_MLP,
            () -> mlp(256, 1024, 1024, 512, 1),
            IMAGES,
            () -> new BenchModel(IMAGES, images().onnx()),
            TREES,
            () -> new BenchModel(TREES, trees().onnx()),
            STEADY,
            () -> new BenchModel(STEADY, steady().onnx()),
            LOOP,
            () -> new BenchModel(LOOP, Loop.onnx()),
            PICKY,
            () -> new BenchModel(PICKY, Picky.onnx())));

    private BenchModels() {}

    /// A model.
    ///
    /// @param name its name in a repository
    /// @param onnx the bytes of its file
    public record BenchModel(String name, byte[] onnx) {
        /// Writes it into a repository in Triton's layout and returns the file.
        public Path writeInto(Path repository) throws IOException {
            Path file = repository.resolve(name).resolve("1").resolve("model.onnx");
            Files.createDirectories(file.getParent());
            return Files.write(file, onnx);
        }
    }

    /// The names of all.
    public static java.util.Set<String> names() {
        return ALL.keySet();
    }

    /// The model called `name`; large ones are made when they are asked for.
    public static BenchModel named(String name) {
        Supplier<BenchModel> model = ALL.get(name);
        if (model == null) {
            throw new IllegalArgumentException("no model '" + name + "', there are " + ALL.keySet());
        }
        return model.get();
    }

    /// A multi-layer perceptron.
    static BenchModel mlp(int... widths) {
        Perceptron perceptron = Perceptron.random(SEED, widths);
        return new BenchModel(perceptron.name(), perceptron.onnx());
    }

    static ConvNet images() {
        return ConvNet.random(SEED, 224, 10, 3, 16, 32, 64);
    }

    static ConvNet steady() {
        return ConvNet.random(SEED, 16, 10, 1, 256, 768);
    }

    static TreeEnsemble trees() {
        return TreeEnsemble.random(SEED, 500, 8, 64);
    }

    private static byte[] identity() {
        return new OnnxGraph("identity")
                .input(INPUT, DataType.FP32, -1, 4)
                .output(OUTPUT, DataType.FP32, -1, 4)
                .node("Identity", OUTPUT, List.of(INPUT))
                .bytes();
    }
}
