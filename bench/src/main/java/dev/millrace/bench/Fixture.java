// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.millrace.bench.BenchModels.BenchModel;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.SessionSettings;
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

/// One model in a repository of its own, opened as each route opens it, and the rows to answer.
///
/// Threads: one. Ownership: it closes the runtimes and the sessions and deletes the repository; contestants are closed
/// before.
final class Fixture implements AutoCloseable {
    private final BenchModel model;
    private final Rows rows;
    private final Path repository;
    private final OnnxSession session;
    private final OrtSession peerSession;
    private final List<Millrace> runtimes = new ArrayList<>();
    private Millrace standard;

    private Fixture(BenchModel model, Path repository) throws IOException, OrtException {
        this.model = model;
        this.rows = new Rows(model.inputWidth());
        this.repository = repository;
        Path file = model.writeInto(repository);
        this.session = OnnxSession.open(file, SessionSettings.DEFAULT);
        this.peerSession = openPeerSession(file);
    }

    /// Writes and opens `model`.
    ///
    /// @throws IllegalStateException if ONNX Runtime's C API cannot be used: there would be no floor
    static Fixture open(BenchModel model) {
        if (OrtRuntime.binding() != OrtRuntime.Binding.NATIVE) {
            throw new IllegalStateException("ONNX Runtime's C API cannot be used here, so there is no floor");
        }
        try {
            return new Fixture(model, Files.createTempDirectory("millrace-bench"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    /// With the options that the runtime uses: one thread per run, all optimisations.
    private static OrtSession openPeerSession(Path file) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            options.setInterOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            return OrtEnvironment.getEnvironment().createSession(file.toString(), options);
        }
    }

    BenchModel model() {
        return model;
    }

    Rows rows() {
        return rows;
    }

    /// Where the model lies, in Triton's layout.
    Path repository() {
        return repository;
    }

    /// The session of those who use the C API.
    OnnxSession session() {
        return session;
    }

    /// The session of those who use ONNX Runtime's Java API.
    OrtSession peerSession() {
        return peerSession;
    }

    /// A runtime over the repository, closed with this.
    Millrace runtime(RuntimeConfig config) {
        Millrace runtime = Millrace.open(config, repository);
        runtimes.add(runtime);
        return runtime;
    }

    /// The runtime with default settings, opened at first use: peers are not timed beside its threads.
    Millrace runtime() {
        if (standard == null) {
            standard = runtime(RuntimeConfig.DEFAULT);
        }
        return standard;
    }

    /// A contestant for batches of `batch` rows.
    Contestant contestant(Route route, int batch) {
        return switch (route) {
            case FLOOR -> CApiContestant.prebound(this, batch);
            case ROW_RUNNER -> CApiContestant.perRun(this, batch);
            case ORT_TYPICAL -> new OrtTypicalContestant(this, batch);
            case ORT_PINNED -> new OrtPinnedContestant(this, batch);
            case CALL -> new CallContestant(this, batch);
            case PREDICT -> new PredictContestant(this, batch);
        };
    }

    @Override
    public void close() {
        runtimes.forEach(Millrace::close);
        try {
            session.close();
            peerSession.close();
            delete(repository);
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> deepestFirst;
        try (Stream<Path> files = Files.walk(folder)) {
            deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.delete(path);
        }
    }
}
