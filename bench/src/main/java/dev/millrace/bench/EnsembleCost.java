// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.report.Spread;
import dev.millrace.memory.Tensor;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.RuntimeConfig;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/// What an ensemble costs beside calls to the models of its steps, one after the other, by one caller.
///
/// @param trials per shape, in the order they were measured
record EnsembleCost(Map<Shape, List<Trial>> trials) implements Section {
    private static final int STEPS = 3;
    private static final int WIDTH = 4;
    private static final int CHECK = 64;

    /// Ensembles of three steps.
    enum Shape {
        LIGHT_CHAIN("three of identity-4, one after the other", BenchModels.IDENTITY.name(), true, 0),
        CHAIN("three of loop-4 with 4 products, one after the other", BenchModels.LOOP, true, 4),
        FAN("three of loop-4 with 4 products, side by side", BenchModels.LOOP, false, 4);

        private final String title;
        private final String model;
        private final boolean chain;
        private final float largest;

        Shape(String title, String model, boolean chain, float largest) {
            this.title = title;
            this.model = model;
            this.chain = chain;
            this.largest = largest;
        }

        private String from(int step) {
            return chain && step > 0 ? "t" + (step - 1) : "in";
        }

        private boolean isOutput(int step) {
            return !chain || step == STEPS - 1;
        }

        /// Writes it into a repository.
        void write(Path repository) throws IOException {
            StringJoiner text = new StringJoiner("\n");
            text.add("platform: 'ensemble' max_batch_size: 8");
            text.add("input { name: 'in' data_type: TYPE_FP32 dims: [ 4 ] }");
            for (int step = 0; step < STEPS; step++) {
                if (isOutput(step)) {
                    text.add("output { name: 't" + step + "' data_type: TYPE_FP32 dims: [ 4 ] }");
                }
            }
            text.add("ensemble_scheduling {");
            for (int step = 0; step < STEPS; step++) {
                text.add("step { model_name: '" + model + "' input_map { key: '" + BenchModels.INPUT + "' value: '"
                        + from(step) + "' } output_map { key: '" + BenchModels.OUTPUT + "' value: 't" + step
                        + "' } }");
            }
            Path folder = Files.createDirectories(repository.resolve(name()).resolve("1"));
            Files.writeString(
                    folder.resolveSibling("config.pbtxt"), text.add("}").toString());
        }
    }

    /// One measurement, in microseconds per request.
    record Trial(double ensemble, double steps) {
        double ratio() {
            return ensemble / steps;
        }
    }

    /// Measures every shape, ensemble and steps in turns.
    static EnsembleCost measure(Effort effort, PrintStream progress) throws IOException {
        Path repository = Files.createTempDirectory("millrace-ensembles");
        BenchModels.IDENTITY.writeInto(repository);
        BenchModels.named(BenchModels.LOOP).writeInto(repository);
        for (Shape shape : Shape.values()) {
            shape.write(repository);
        }
        Map<Shape, List<Trial>> trials = new EnumMap<>(Shape.class);
        try (Millrace millrace = Millrace.open(RuntimeConfig.DEFAULT, repository)) {
            for (Shape shape : Shape.values()) {
                progress.println("ensembles: " + shape.title);
                try (Pair pair = new Pair(millrace, shape)) {
                    trials.put(shape, pair.measure(effort));
                }
            }
        }
        return new EnsembleCost(trials);
    }

    /// An ensemble and the calls that do the same.
    private static final class Pair implements AutoCloseable {
        private final Shape shape;
        private final Call ensemble;
        private final List<Call> steps = new ArrayList<>();
        private final float[] values = new float[WIDTH];
        private final float[] passed = new float[WIDTH];
        private long asked;

        Pair(Millrace millrace, Shape shape) {
            this.shape = shape;
            this.ensemble = millrace.model(shape.name()).call();
            ensemble.input(0).reshape(1, WIDTH);
            for (int step = 0; step < STEPS; step++) {
                steps.add(millrace.model(shape.model).call());
            }
        }

        List<Trial> measure(Effort effort) {
            check();
            // Half before, so that neither finds the other's code compiled first.
            time(false, effort.repeatMillis());
            time(true, effort.repeatMillis());
            List<Trial> trials = new ArrayList<>();
            for (int repeat = 0; repeat < effort.repeats(); repeat++) {
                boolean first = repeat % 2 == 0;
                double one = time(first, effort.repeatMillis());
                double other = time(!first, effort.repeatMillis());
                trials.add(first ? new Trial(one, other) : new Trial(other, one));
            }
            return trials;
        }

        /// Microseconds per request.
        private double time(boolean wantEnsemble, int millis) {
            long start = System.nanoTime();
            long count = 0;
            long now;
            do {
                next();
                if (wantEnsemble) {
                    askEnsemble();
                } else {
                    askSteps();
                }
                count++;
                now = System.nanoTime();
            } while (now - start < millis * 1_000_000L);
            return (now - start) / 1000.0 / count;
        }

        private void next() {
            asked++;
            for (int i = 0; i < WIDTH; i++) {
                values[i] = shape.largest - i - (asked & 1) * 0.25f;
            }
        }

        private void askEnsemble() {
            ensemble.input(0).putFloats(values);
            require(ensemble);
        }

        private void askSteps() {
            for (int step = 0; step < STEPS; step++) {
                Call call = steps.get(step);
                if (shape.chain && step > 0) {
                    steps.get(step - 1).output(0).getFloats(0, passed, 0, WIDTH);
                    call.input(0).putFloats(passed);
                } else {
                    call.input(0).putFloats(values);
                }
                require(call);
            }
        }

        private static void require(Call call) {
            if (call.run() != Outcome.OK) {
                throw new IllegalStateException(call.message());
            }
        }

        /// Both have to answer alike before either is timed.
        private void check() {
            for (int i = 0; i < CHECK; i++) {
                next();
                askEnsemble();
                askSteps();
                for (int output = 0; output < ensemble.signature().outputs().size(); output++) {
                    Tensor own = ensemble.output(output);
                    Tensor plain = steps.get(shape.chain ? STEPS - 1 : output).output(0);
                    for (int column = 0; column < WIDTH; column++) {
                        if (own.getFloat(column) != plain.getFloat(column)) {
                            throw new IllegalStateException(shape + " answers " + own.getFloat(column)
                                    + " where its steps answer " + plain.getFloat(column));
                        }
                    }
                }
            }
        }

        @Override
        public void close() {
            ensemble.close();
            steps.forEach(Call::close);
        }
    }

    @Override
    public String markdown() {
        StringBuilder text = new StringBuilder("""
            ## Ensembles beside calls to the models of their steps

            | steps | ensemble, µs | calls one after the other, µs | ensemble / calls, median (smallest–largest) |
            |---|---|---|---|
            """);
        trials.forEach((shape, measured) -> {
            Spread ratio = Spread.of(measured, Trial::ratio);
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %.2f | %.2f | %.2f (%.2f–%.2f) |%n",
                    shape.title,
                    Spread.of(measured, Trial::ensemble).median(),
                    Spread.of(measured, Trial::steps).median(),
                    ratio.median(),
                    ratio.min(),
                    ratio.max()));
        });
        return text.toString();
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("ensembles");
        for (Map.Entry<Shape, List<Trial>> entry : trials.entrySet()) {
            json.writeArrayFieldStart(entry.getKey().name());
            for (Trial trial : entry.getValue()) {
                json.writeStartObject();
                json.writeNumberField("ensembleMicros", trial.ensemble());
                json.writeNumberField("stepsMicros", trial.steps());
                json.writeEndObject();
            }
            json.writeEndArray();
        }
        json.writeEndObject();
    }
}
