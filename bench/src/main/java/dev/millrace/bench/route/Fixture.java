// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.model.Batching;
import dev.millrace.model.OnnxModel;
import dev.millrace.model.Signature;
import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.SessionSettings;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.RuntimeConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// One model in a repository of its own, opened as each route opens it, and the examples to answer.
///
/// Threads: one. Ownership: it closes the runtimes and the sessions and deletes the repository; contestants are closed
/// before.
public final class Fixture implements AutoCloseable {
    /// For the bench's own models: two sums of the same numbers in another order.
    private static final double CLOSE = 1e-5;
    /// For others, whose numbers may be larger before the end: what the runtime itself allows when it loads them.
    private static final double CLOSE_ENOUGH = 1e-4;

    private final String name;
    private final Settings settings;
    private final double tolerance;
    private final Path repository;
    private final Path file;
    private final OnnxModel model;
    private final Examples examples;
    private final List<Millrace> runtimes = new ArrayList<>();
    private OrtSession peerSession;
    private Millrace standard;

    private Fixture(String model, Settings settings, Path repository) throws IOException {
        this.settings = settings;
        this.repository = repository;
        boolean own = BenchModels.names().contains(model);
        this.name = own ? model : "model";
        this.tolerance = own ? CLOSE : CLOSE_ENOUGH;
        this.file = own ? BenchModels.named(model).writeInto(repository) : ModelFiles.into(repository, Path.of(model));
        this.model = OnnxModel.load(file, new SessionSettings(settings.threads(), true));
        try {
            this.examples = new Examples(this.model.signature(), settings);
        } catch (Unavailable e) {
            this.model.close();
            throw e;
        }
    }

    /// Opens one of the [BenchModels] with default settings.
    public static Fixture open(BenchModels.BenchModel model) {
        return open(model.name(), Settings.DEFAULT);
    }

    /// Opens a model.
    ///
    /// @param model the name of one of the [BenchModels], or the path of a file
    /// @throws IllegalStateException if ONNX Runtime's C API cannot be used: there would be no floor
    /// @throws dev.millrace.ort.OrtFailure if the file is no model that can be served
    /// @throws Unavailable if the settings leave open what to ask it
    public static Fixture open(String model, Settings settings) {
        if (OrtRuntime.binding() != OrtRuntime.Binding.NATIVE) {
            throw new IllegalStateException("ONNX Runtime's C API cannot be used here, so there is no floor");
        }
        Path repository = null;
        try {
            repository = Files.createTempDirectory("millrace-bench");
            return new Fixture(model, settings, repository);
        } catch (IOException e) {
            delete(repository);
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            delete(repository);
            throw e;
        }
    }

    /// The model's name in the repository.
    public String name() {
        return name;
    }

    /// What the model is asked.
    public Examples examples() {
        return examples;
    }

    /// What the model takes and gives.
    public Signature signature() {
        return model.signature();
    }

    /// Whether its rows are independent: then each must be answered in any batch as it is alone.
    public boolean hasRows() {
        return model.batching().kind() == Batching.Kind.ROWS;
    }

    /// How the runtime found its rows to be.
    public Batching batching() {
        return model.batching();
    }

    /// How far an answer may be from the floor's where kernels may sum in another order, relative to the largest value
    /// of the row's output.
    public double tolerance() {
        return tolerance;
    }

    /// Where the model lies, in Triton's layout.
    public Path repository() {
        return repository;
    }

    Path file() {
        return file;
    }

    Settings settings() {
        return settings;
    }

    /// The model of those who use the C API.
    OnnxModel model() {
        return model;
    }

    /// The session of those who use ONNX Runtime's Java API, with the options that the runtime uses: the same number
    /// of threads per run, all optimisations.
    OrtSession peerSession() {
        if (peerSession == null) {
            try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
                options.setIntraOpNumThreads(settings.threads());
                options.setInterOpNumThreads(1);
                options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
                peerSession = OrtEnvironment.getEnvironment().createSession(file.toString(), options);
            } catch (OrtException e) {
                throw new IllegalStateException(e);
            }
        }
        return peerSession;
    }

    /// A runtime over the repository, closed with this.
    public Millrace runtime(RuntimeConfig config) {
        Millrace runtime = Millrace.open(config, repository);
        runtimes.add(runtime);
        return runtime;
    }

    /// The runtime with default settings, opened at first use: peers are not timed beside its threads.
    ///
    /// @throws Unavailable if it does not serve the model
    Millrace runtime() {
        if (standard == null) {
            standard = runtime(RuntimeConfig.DEFAULT.withIntraOpThreads(settings.threads()));
        }
        try {
            standard.model(name);
        } catch (InferenceException e) {
            throw new Unavailable(e.getMessage(), e);
        }
        return standard;
    }

    /// A contestant for batches of `batch` rows.
    ///
    /// @throws Unavailable if the route cannot ask this model, or not in batches of this size
    public Contestant contestant(Route route, int batch) {
        examples.requireBatch(batch);
        return switch (route) {
            case FLOOR -> CApiContestant.floor(this, batch);
            case ROW_RUNNER -> CApiContestant.perRun(this, batch);
            case ORT_TYPICAL -> new OrtTypicalContestant(this, batch);
            case ORT_PINNED -> OrtPinnedContestant.open(this, batch);
            case DJL -> DjlContestant.open(this, batch);
            case CALL -> call(runtime(), batch);
            case PREDICT -> new PredictContestant(this, batch);
        };
    }

    /// The reusable call of a runtime that serves the model, maybe among others.
    public Contestant call(Millrace runtime, int batch) {
        return new CallContestant(this, runtime, batch);
    }

    /// Why the floor cannot be prebound in batches of this size; empty if it is.
    public java.util.Optional<String> floorObstacle(int batch) {
        return CApiContestant.floorObstacle(this, batch);
    }

    /// The gate for this model.
    public Gate gate() {
        return new Gate(this);
    }

    @Override
    public void close() {
        runtimes.forEach(Millrace::close);
        try {
            if (peerSession != null) {
                peerSession.close();
            }
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        } finally {
            model.close();
            delete(repository);
        }
    }

    private static void delete(Path folder) {
        if (folder == null) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
