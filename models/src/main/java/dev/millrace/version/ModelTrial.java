// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.ProcessMemory;
import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.SessionSettings;
import java.io.DataOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Loads a model in a process of its own, runs it once and has it answer its goldens, before it is loaded here: what
/// aborts the native library, never ends, or wants all memory there is, does so there.
///
/// The process is a JVM of this one's kind with the few jars that it needs. It has a thread, yields to everything else,
/// and ends when this process does, however that ends. It leaves no files behind.
///
/// Threads: any; each trial is one process, and its caller waits for it.
public final class ModelTrial {
    private static final Logger LOG = LoggerFactory.getLogger(ModelTrial.class);

    /// The parts of an exit status: a signal ended the process.
    private static final int SIGNALLED = 128;

    private static final int SIGABRT = 6;
    private static final int SIGKILL = 9;

    private static final long LOOK_MILLIS = 50;
    private static final long END_SECONDS = 10;
    /// What an empty JVM takes; the process limits itself more exactly, this is for what escapes it.
    private static final long EMPTY_BYTES = 192L << 20;
    /// Variables that the process is not to see: those that would change its JVM, and the secret of a server, since a
    /// model is a program of somebody else's.
    private static final List<String> WITHHELD =
            List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "MILLRACE_ADMIN_TOKEN");

    /// More than there is anywhere, and not so much that a sum with it has no place in a number.
    private static final long MAX_BYTES = 1L << 60;

    /// What its files have is there once as they are, and a second time in the form that kernels want.
    private static final int FILES_FACTOR = 2;

    private final TrialLimits limits;
    private final long memoryBytes;
    private final Process process;
    private final OutputTail output;

    private ModelTrial(TrialLimits limits, long memoryBytes, Process process) {
        this.limits = limits;
        this.memoryBytes = memoryBytes;
        this.process = process;
        this.output = new OutputTail(process.getInputStream());
    }

    /// Tries a model.
    ///
    /// @param file the model
    /// @param versionFolder where its goldens are, if there are any; null: they are not checked
    /// @param settings how it will be opened; a trial has one thread, though
    /// @param limits what it may take
    /// @throws TrialFailed if it does not pass
    public static void run(Path file, Path versionFolder, SessionSettings settings, TrialLimits limits) {
        long start = System.nanoTime();
        long memoryBytes = Math.min(limits.memoryBytes(), MAX_BYTES) + FILES_FACTOR * fileBytes(file);
        TrialTask task = new TrialTask(file, versionFolder, settings, memoryBytes);
        ModelTrial trial = new ModelTrial(limits, memoryBytes, start());
        try {
            trial.tell(task);
            trial.await();
            trial.judge();
            LOG.info("{} passed its trial in {} ms", file, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TrialFailed(TrialFailed.Kind.NOT_TRIED, "its trial was interrupted", e);
        } finally {
            trial.end();
        }
    }

    /// What a model has on disk; nothing where that cannot be told, which its load will say more about.
    private static long fileBytes(Path file) {
        try {
            long bytes = Files.size(file);
            for (String location : ExternalData.of(file)) {
                bytes += Files.size(file.resolveSibling(location));
            }
            return bytes;
        } catch (IOException | InvalidPathException e) {
            LOG.debug("the size of {} is not known: {}", file, e.toString());
            return 0;
        }
    }

    /// Ends the process, if it has not, and waits until what it held is given back.
    private void end() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("the process {} of a trial does not end", process.pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Process start() {
        try {
            ProcessBuilder builder = new ProcessBuilder(command()).redirectErrorStream(true);
            withhold(builder.environment());
            return builder.start();
        } catch (IOException e) {
            throw new TrialFailed(
                    TrialFailed.Kind.NOT_TRIED, "the process for its trial cannot be started: " + e.getMessage(), e);
        }
    }

    /// Takes out of an environment what the process is not to see.
    static void withhold(Map<String, String> environment) {
        WITHHELD.forEach(environment::remove);
    }

    private static List<String> command() {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms16m",
                "-Xmx96m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + (File.separatorChar == '/' ? "/dev/null" : "NUL"),
                "--enable-native-access=ALL-UNNAMED",
                "-Dslf4j.internal.verbosity=ERROR",
                // ONNX Runtime wants to make a folder there, even for libraries that are somewhere else.
                "-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir")));
        OrtRuntime.libraries().ifPresent(folder -> command.add("-Donnxruntime.native.path=" + folder));
        command.addAll(List.of("-cp", classPath(), TrialProcess.class.getName()));
        return command;
    }

    /// The jars or folders of the classes that the process needs; this process's whole class path where they are not
    /// plain files.
    private static String classPath() {
        Set<String> path = new LinkedHashSet<>();
        for (Optional<URL> url : List.of(
                location(ModelTrial.class), location(MemoryTag.class), OrtRuntime.javaApi(), location(Logger.class))) {
            Optional<Path> file = url.flatMap(ModelTrial::file);
            if (file.isEmpty()) {
                return System.getProperty("java.class.path");
            }
            path.add(file.get().toString());
        }
        return String.join(File.pathSeparator, path);
    }

    private static Optional<URL> location(Class<?> type) {
        return Optional.ofNullable(type.getProtectionDomain().getCodeSource()).map(CodeSource::getLocation);
    }

    private static Optional<Path> file(URL url) {
        try {
            URI uri = url.toURI();
            return "file".equals(uri.getScheme()) ? Optional.of(Path.of(uri)).filter(Files::exists) : Optional.empty();
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }

    /// Tells it what to do; its input stays open.
    private void tell(TrialTask task) {
        try {
            task.write(new DataOutputStream(process.getOutputStream()));
        } catch (IOException e) {
            LOG.debug("the process has ended before it knew what to do", e);
        }
    }

    private void await() throws InterruptedException {
        long end = System.nanoTime() + limits.timeout().toNanos();
        while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
            if (System.nanoTime() - end >= 0) {
                throw new TrialFailed(
                        TrialFailed.Kind.HUNG,
                        "its trial did not end within " + limits.timeout().toMillis() + " ms");
            }
            if (ProcessMemory.anonymous(process.pid()) > memoryBytes + EMPTY_BYTES) {
                throw new TrialFailed(TrialFailed.Kind.MEMORY, memory(""));
            }
        }
    }

    /// Tells what became of the process that has ended.
    private void judge() throws InterruptedException {
        int code = process.exitValue();
        if (code == TrialProcess.PASSED) {
            return;
        }
        String said = output.text();
        int at = said.lastIndexOf("\n" + TrialProcess.REASON);
        String reason = at < 0
                ? ""
                : said.substring(at + 1 + TrialProcess.REASON.length()).strip();
        if (code == TrialProcess.REFUSED && at >= 0) {
            throw new TrialFailed(TrialFailed.Kind.REFUSED, reason);
        }
        if (code == TrialProcess.GOLDEN && at >= 0) {
            throw new TrialFailed(TrialFailed.Kind.GOLDEN, reason);
        }
        if (code == TrialProcess.FAILED && at >= 0) {
            throw new TrialFailed(TrialFailed.Kind.NOT_TRIED, "its trial failed: " + reason);
        }
        if (code == TrialProcess.MEMORY || said.contains("insufficient memory for the Java Runtime")) {
            throw new TrialFailed(TrialFailed.Kind.MEMORY, memory(reason));
        }
        if (code < SIGNALLED) {
            throw new TrialFailed(
                    TrialFailed.Kind.NOT_TRIED, "its trial ended with exit code " + code + Crash.lastWords(said));
        }
        if (said.contains("std::bad_alloc") && code == SIGNALLED + SIGABRT) {
            throw new TrialFailed(TrialFailed.Kind.MEMORY, memory("std::bad_alloc"));
        }
        String killed = code == SIGNALLED + SIGKILL ? ", perhaps by the system, which was out of memory" : "";
        throw new TrialFailed(
                TrialFailed.Kind.CRASHED,
                "it ended the process of its trial by " + Crash.describe(code - SIGNALLED, said) + killed);
    }

    private String memory(String reason) {
        long limit = Math.min(limits.memoryBytes(), MAX_BYTES);
        return "its trial wanted more than " + limit + " bytes of memory, beside the " + (memoryBytes - limit)
                + " for its files"
                + (reason.isEmpty() ? "" : ": " + reason);
    }

    /// The end of what a process writes, read as long as it lives.
    private static final class OutputTail {
        private static final int TAIL_BYTES = 1 << 14;

        private final byte[] tail = new byte[TAIL_BYTES];
        private final Thread reader;
        private long length;

        OutputTail(InputStream in) {
            reader = Thread.ofPlatform().daemon().name("millrace-trial-output").start(() -> read(in));
        }

        private void read(InputStream in) {
            try (in) {
                for (int next = in.read(); next >= 0; next = in.read()) {
                    tail[(int) (length++ % TAIL_BYTES)] = (byte) next;
                }
            } catch (IOException e) {
                LOG.debug("the output of a trial ended early", e);
            }
        }

        /// What came, once the process has ended.
        String text() throws InterruptedException {
            reader.join();
            int kept = (int) Math.min(length, TAIL_BYTES);
            byte[] text = new byte[kept];
            for (int i = 0; i < kept; i++) {
                text[i] = tail[(int) ((length - kept + i) % TAIL_BYTES)];
            }
            return new String(text, StandardCharsets.UTF_8);
        }
    }
}
