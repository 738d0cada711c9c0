// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.model.OnnxGraph;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Settings;
import dev.millrace.bench.route.Value;
import dev.millrace.memory.DataType;
import dev.millrace.model.ModelConfig;
import dev.millrace.runtime.RuntimeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/// A model under load, with questions whose answers are known. Threads: any once all are written.
enum Subject {
    /// The example model: light rows. Right is what ONNX Runtime's C API answers to each row alone.
    FRAUD("fraud", BenchModels.INPUT, DataType.FP32),
    /// Rows whose run takes as long as they say; right is the row itself.
    SLOW("slow", BenchModels.INPUT, DataType.FP32),
    /// Rows that look an index up in a table; some have none, and their run fails.
    PICKY("picky", "index", DataType.INT64),
    /// Requests of any shape, each run alone with its own tensors; right is the double.
    WHOLE("whole", "x", DataType.FP32);

    /// The most rows that a queue has.
    static final int QUEUE = 128;

    private static final int TABLE = 16;
    private static final int PRIORITIES = 3;
    private static final int MOST_TURNS = 40;
    private static final int LONG_TURNS = 1500;

    private final String model;
    private final String input;
    private final DataType datatype;
    /// Rows and their answers, where these are not computed.
    private float[][] rows;
    private float[] answers;

    Subject(String model, String input, DataType datatype) {
        this.model = model;
        this.input = input;
        this.datatype = datatype;
    }

    String model() {
        return model;
    }

    String input() {
        return input;
    }

    DataType datatype() {
        return datatype;
    }

    /// Whether a request may fail that is not to blame: of a batch of which many rows fail not all are found.
    boolean mayFail() {
        return this == PICKY;
    }

    /// Whether every request has a deadline.
    boolean hasTimeout() {
        return this == WHOLE;
    }

    /// Writes all models into a repository.
    ///
    /// @param zoo the folder of the example models
    static void writeInto(Path repository, Path zoo) throws IOException {
        Path fraud = zoo.resolve("fraud/1/model.onnx");
        FRAUD.learn(fraud);
        FRAUD.write(repository, Files.readAllBytes(fraud));
        SLOW.write(repository, BenchModels.named(BenchModels.LOOP).onnx());
        PICKY.write(
                repository,
                new OnnxGraph("picky")
                        .input(PICKY.input, DataType.INT64, -1, 1)
                        .output("value", DataType.FP32, -1, 1)
                        .weights("table", table(), TABLE)
                        .node("Gather", "value", List.of("table", PICKY.input), OnnxGraph.integer("axis", 0))
                        .bytes());
        WHOLE.write(
                repository,
                new OnnxGraph("whole")
                        .input(WHOLE.input, DataType.FP32, -1, -2)
                        .output("y", DataType.FP32, -1, -2)
                        .weights("two", new float[] {2}, 1)
                        .node("Mul", "y", List.of(WHOLE.input, "two"))
                        .bytes());
    }

    private void write(Path repository, byte[] onnx) throws IOException {
        new BenchModels.BenchModel(model, onnx).writeInto(repository);
    }

    private void learn(Path file) {
        try (Fixture fixture = Fixture.open(file.toString(), Settings.DEFAULT)) {
            rows = fixture.examples().floats();
            List<List<Value>> expected = fixture.gate().expected();
            answers = new float[rows.length];
            for (int i = 0; i < rows.length; i++) {
                answers[i] = ((float[]) expected.get(i).getFirst().array())[0];
            }
        }
    }

    private static float[] table() {
        float[] table = new float[TABLE];
        for (int i = 0; i < TABLE; i++) {
            table[i] = 10 + i;
        }
        return table;
    }

    /// How the models are served: small queues, priorities, delays, several instances, timeouts.
    static RuntimeConfig configure(RuntimeConfig runtime, SplittableRandom random) {
        ModelConfig fraud = ModelConfig.DEFAULT.withMaxBatchSize(32);
        fraud = random.nextBoolean()
                ? fraud.withPriorities(PRIORITIES, 2)
                : fraud.withObjectiveP99(Duration.ofMillis(5));
        ModelConfig slow = ModelConfig.DEFAULT.withMaxBatchSize(16).withInstanceCount(random.nextInt(1, 3));
        ModelConfig picky =
                ModelConfig.DEFAULT.withPriorities(2, 2).withMaxBatchSize(16).withWeight(random.nextInt(1, 5));
        if (random.nextBoolean()) {
            picky = picky.withMaxQueueDelay(Duration.ofNanos(200_000)).withPreferredBatchSizes(4, 8);
        }
        return runtime.withQueueRows(QUEUE)
                .withAgents(2)
                .withModel(FRAUD.model, fraud)
                .withModel(SLOW.model, slow)
                .withModel(PICKY.model, picky)
                .withModel(WHOLE.model, ModelConfig.DEFAULT.withDefaultTimeout(Duration.ofSeconds(1)));
    }

    /// One of the four, the light ones more often.
    static Subject draw(SplittableRandom random) {
        int draw = random.nextInt(10);
        return draw < 5 ? FRAUD : draw < 7 ? PICKY : draw < 9 ? WHOLE : SLOW;
    }

    /// A question at random.
    Question question(SplittableRandom random) {
        int count = random.nextInt(10) == 0 ? random.nextInt(1, 65) : random.nextInt(1, 4);
        return switch (this) {
            case FRAUD -> known(random, count);
            case SLOW -> loop(random, count);
            case PICKY -> lookup(random, count);
            case WHOLE -> twice(random, count);
        };
    }

    private Question known(SplittableRandom random, int count) {
        int width = rows[0].length;
        float[] values = new float[count * width];
        float[] right = new float[count];
        for (int i = 0; i < count; i++) {
            int row = random.nextInt(rows.length);
            System.arraycopy(rows[row], 0, values, i * width, width);
            right[i] = answers[row];
        }
        return new Question(this, new long[] {count, width}, values, right);
    }

    private Question loop(SplittableRandom random, int count) {
        int width = 4;
        float[] values = new float[count * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(MOST_TURNS);
        }
        if (random.nextInt(50) == 0) {
            values[0] = random.nextInt(LONG_TURNS);
        }
        return new Question(this, new long[] {count, width}, values, values);
    }

    private Question lookup(SplittableRandom random, int count) {
        float[] values = new float[count];
        float[] right = new float[count];
        boolean fails = random.nextInt(40) == 0;
        for (int i = 0; i < count; i++) {
            int index = random.nextInt(TABLE);
            values[i] = index;
            right[i] = 10 + index;
        }
        return fails ? failing(values) : new Question(this, new long[] {count, 1}, values, right);
    }

    /// A question of one row that the model cannot answer.
    private Question failing(float[] values) {
        values[values.length - 1] = TABLE + 5;
        return new Question(this, new long[] {values.length, 1}, values, null);
    }

    private Question twice(SplittableRandom random, int count) {
        int width = random.nextInt(20) == 0 ? random.nextInt(1, 500) : random.nextInt(1, 20);
        float[] values = new float[count * width];
        float[] right = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(1000);
            right[i] = 2 * values[i];
        }
        return new Question(this, new long[] {count, width}, values, right);
    }

    /// Only questions that fail, for who wants to trip a breaker.
    static Question bad(SplittableRandom random) {
        return PICKY.failing(new float[random.nextInt(1, 4)]);
    }
}
