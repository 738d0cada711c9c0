// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.compare.ComparisonReport.Decisions;
import dev.millrace.compare.ComparisonReport.Side;
import dev.millrace.dataset.Dataset;
import dev.millrace.dataset.Datasets;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Batching;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.ort.Cpu;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.LongSupplier;

/// Compares a model with the one whose place it is to take, on data; or tells what can be told of one alone.
///
/// Which output decides: the first that has a score for each of several classes, or one number, in every row; else the
/// first that has a label; or the one that was asked for. The class with the highest score is the decision. A single
/// number is one if all of them are from 0 to 1: yes from 0.5 on.
///
/// Threads: one. The models are run on the calling thread.
public final class Comparison {
    /// How many rows of data are run together.
    private static final int ROWS = 64;

    private static final int MOST_ROWS = 1 << 16;

    private final Optional<Path> before;
    private final Path after;
    private final Path data;
    private Optional<String> labels = Optional.empty();
    private Optional<String> output = Optional.empty();
    private TreeSet<Integer> batches = new TreeSet<>(List.of(1, 8, 64));
    private LongSupplier clock = System::nanoTime;

    private Comparison(Optional<Path> before, Path after, Path data) {
        this.before = before;
        this.after = after;
        this.data = data;
    }

    /// A comparison of two models.
    ///
    /// @param before the model that is there
    /// @param after the model that is to take its place
    /// @param data a file that [Datasets] reads
    public static Comparison of(Path before, Path after, Path data) {
        return new Comparison(Optional.of(before), after, data);
    }

    /// A look at one model.
    public static Comparison of(Path model, Path data) {
        return new Comparison(Optional.empty(), model, data);
    }

    /// The column of the data that tells what is right: the class, or 1 and 0 for yes and no.
    public Comparison labels(String column) {
        labels = Optional.of(column);
        return this;
    }

    /// The output that decides.
    public Comparison output(String name) {
        output = Optional.of(name);
        return this;
    }

    /// How many rows the runs have that are timed; none: nothing is timed.
    public Comparison batches(int... rows) {
        batches = new TreeSet<>();
        for (int count : rows) {
            if (count < 1 || count > MOST_ROWS) {
                throw new IllegalArgumentException("a batch of " + count + " rows, expected 1 to " + MOST_ROWS);
            }
            batches.add(count);
        }
        return this;
    }

    /// What tells nanoseconds; other than by the system's clock, times are the caller's affair.
    Comparison clock(LongSupplier nanoTime) {
        clock = nanoTime;
        return this;
    }

    /// Runs the models on all of the data, then takes their times.
    ///
    /// @throws IllegalArgumentException if the models cannot be compared, or have no such output
    /// @throws dev.millrace.onnx.InvalidModelException if a file is no model
    /// @throws dev.millrace.ort.OrtFailure if a model cannot be loaded or fails
    /// @throws IOException if the data cannot be read or is not what the models take
    public ComparisonReport run() throws IOException {
        try (Contestant now = new Contestant(after, SessionSettings.DEFAULT)) {
            if (before.isEmpty()) {
                return run(Optional.empty(), now, now.signature(), null);
            }
            try (Contestant then = new Contestant(before.get(), SessionSettings.DEFAULT)) {
                Match match = Match.of(then, now);
                now.follow(match.signature());
                return run(Optional.of(then), now, match.signature(), match.outputs());
            }
        }
    }

    private ComparisonReport run(Optional<Contestant> then, Contestant now, Signature signature, int[] partners)
            throws IOException {
        int decisive = output.map(name -> require(signature, name)).orElse(-1);
        Dataset rows = Datasets.open(data, signature, labels, batching(then, now));
        boolean independent = isRows(signature);
        try (Sample sample = new Sample(batches.isEmpty() ? 1 : batches.last(), independent)) {
            Pass pass = new Pass(then, now, signature, partners, decisive);
            rows.forEach(ROWS, batch -> {
                sample.offer(batch.inputs());
                pass.accept(batch);
            });
            if (sample.isEmpty()) {
                throw new IOException(data + ": it has no rows, expected at least one");
            }
            List<Speed> speeds = time(then, now, sample, independent);
            return new ComparisonReport(
                    then.map(model -> side(model, pass.qualityBefore())),
                    side(now, pass.qualityAfter()),
                    pass.rows(),
                    pass.differences(),
                    pass.decisions(),
                    speeds,
                    Cpu.here());
        }
    }

    /// Rows that affect each other are run as they would be served: a request at a time.
    private static Batching.Kind batching(Optional<Contestant> then, Contestant now) {
        boolean mates = then.stream().anyMatch(Comparison::hasMates) || hasMates(now);
        return mates ? Batching.Kind.NONE : Batching.Kind.ROWS;
    }

    private static boolean hasMates(Contestant model) {
        return model.model().batching().kind() == Batching.Kind.NONE;
    }

    private static int require(Signature signature, String name) {
        int index = signature.outputIndex(name);
        if (index < 0) {
            throw new IllegalArgumentException("there is no output '" + name + "', expected one of "
                    + signature.outputs().stream().map(TensorSpec::name).toList());
        }
        return index;
    }

    /// Whether runs may have any number of rows.
    private static boolean isRows(Signature signature) {
        return !signature.inputs().isEmpty()
                && signature.inputs().stream()
                        .allMatch(input ->
                                !input.shape().isEmpty() && input.shape().getFirst() == -1)
                && signature.outputs().stream()
                        .allMatch(
                                spec -> !spec.shape().isEmpty() && spec.shape().getFirst() == -1);
    }

    private static Side side(Contestant model, Optional<Quality> quality) {
        return new Side(model.file(), model.bytes(), model.model().batching(), quality);
    }

    private List<Speed> time(Optional<Contestant> then, Contestant now, Sample sample, boolean independent) {
        List<Speed> speeds = new ArrayList<>();
        if (!independent && !batches.isEmpty()) {
            Tensor[] inputs = sample.first();
            speeds.add(time(then, now, inputs, inputs.length == 0 || inputs[0].rank() == 0 ? 1 : inputs[0].dim(0)));
        }
        for (int rows : independent ? batches : new TreeSet<Integer>()) {
            Tensor[] inputs = sample.rows(rows);
            try {
                speeds.add(time(then, now, inputs, rows));
            } finally {
                Arrays.stream(inputs).forEach(Tensor::close);
            }
        }
        return speeds;
    }

    private Speed time(Optional<Contestant> then, Contestant now, Tensor[] inputs, long rows) {
        Stopwatch stopwatch = new Stopwatch(clock);
        if (then.isEmpty()) {
            return new Speed(rows, Optional.empty(), stopwatch.time(() -> now.run(inputs))[0]);
        }
        Timing[] times = stopwatch.time(() -> then.get().run(inputs), () -> now.run(inputs));
        return new Speed(rows, Optional.of(times[0]), times[1]);
    }

    /// All of the data, once.
    private static final class Pass implements Dataset.Sink {
        private final Optional<Contestant> then;
        private final Contestant now;
        private final Signature signature;
        private final int[] partners;
        private final OutputMeter[] meters;
        private int decisive;
        private Optional<Rule> rule = Optional.empty();
        private Judge judgeBefore;
        private Judge judgeAfter;
        private long rows;
        private long decided;
        private long flips;

        Pass(Optional<Contestant> then, Contestant now, Signature signature, int[] partners, int decisive) {
            this.then = then;
            this.now = now;
            this.signature = signature;
            this.partners = partners;
            this.decisive = decisive;
            this.meters = signature.outputs().stream()
                    .map(spec -> new OutputMeter(spec.name()))
                    .toArray(OutputMeter[]::new);
        }

        @Override
        public void accept(Dataset.Batch batch) {
            Tensor[] inputs = batch.inputs();
            long count = batch.rows();
            Tensor[] after = now.run(inputs);
            Tensor[] before = then.map(model -> model.run(inputs)).orElse(null);
            if (rows == 0) {
                choose(before == null ? after : before, count);
            }
            rows += count;
            for (int i = 0; before != null && i < meters.length; i++) {
                meters[i].add(before[i], after[partners[i]]);
            }
            if (rule.isPresent()) {
                Tensor one = before == null ? null : before[decisive];
                decide(one, after[before == null ? decisive : partners[decisive]], count, batch.labels());
            }
        }

        private void choose(Tensor[] outputs, long count) {
            int label = -1;
            for (int i = 0; decisive < 0 && i < outputs.length; i++) {
                Optional<Rule> found = Rule.of(outputs[i], count);
                if (found.isPresent() && found.get() != Rule.LABEL) {
                    decisive = i;
                } else if (found.isPresent() && label < 0) {
                    label = i;
                }
            }
            decisive = decisive < 0 ? label : decisive;
            rule = decisive < 0 ? Optional.empty() : Rule.of(outputs[decisive], count);
            rule.ifPresent(how -> {
                judgeBefore = new Judge(how);
                judgeAfter = new Judge(how);
            });
        }

        private void decide(Tensor before, Tensor after, long count, double[] labels) {
            if (!Rule.of(after, count).equals(rule)) {
                throw new IllegalArgumentException(
                        "output '" + signature.outputs().get(decisive).name()
                                + "' has another shape than before: " + Arrays.toString(after.shape()) + " for " + count
                                + " rows");
            }
            for (int row = 0; row < count; row++) {
                double label = row < labels.length ? labels[row] : Double.NaN;
                double now = judgeAfter.decide(after, row, label);
                if (before != null) {
                    // Where both are undecided, which is NaN, nothing flips.
                    flips += Double.compare(judgeBefore.decide(before, row, label), now) == 0 ? 0 : 1;
                }
                decided++;
            }
        }

        long rows() {
            return rows;
        }

        List<OutputDifference> differences() {
            return then.isEmpty()
                    ? List.of()
                    : Arrays.stream(meters).map(OutputMeter::difference).toList();
        }

        Optional<Decisions> decisions() {
            boolean decides = rule.isPresent() && judgeAfter.decides() && (then.isEmpty() || judgeBefore.decides());
            return decides
                    ? Optional.of(
                            new Decisions(signature.outputs().get(decisive).name(), rule.get(), decided, flips))
                    : Optional.empty();
        }

        Optional<Quality> qualityBefore() {
            return rule.isEmpty() ? Optional.empty() : judgeBefore.quality();
        }

        Optional<Quality> qualityAfter() {
            return rule.isEmpty() ? Optional.empty() : judgeAfter.quality();
        }
    }
}
