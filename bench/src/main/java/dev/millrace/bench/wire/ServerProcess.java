// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import dev.millrace.bench.promise.Server;
import dev.millrace.bench.report.Machine;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A server in a JVM of its own, started with the flags that the launcher gives a server.
///
/// Threads: one. Ownership: the process ends when this is closed, or with the JVM that started it.
public final class ServerProcess implements Server {
    /// The launcher's flags, as `bench/run.sh` hands them over: words with a space between each two.
    private static final String FLAGS = "millrace.bench.flags";
    /// The jar that the launcher starts.
    private static final String JAR = "millrace.bench.jar";

    /// Without it each frame would be told. The server's program has settings of its own.
    private static final String LOGGING = "-Dlogback.configurationFile=dev/millrace/bench/logback.xml";

    private static final Pattern READY =
            Pattern.compile(".* ready at http://127\\.0\\.0\\.1:(\\d+)(?: and grpc://[^:]*:(\\d+))?( .*)?");
    private static final long END_SECONDS = 20;

    private final Process process;
    private final Thread lastResort;
    private final int port;
    private int grpcPort = -1;

    private ServerProcess(Process process) throws IOException {
        this.process = process;
        this.lastResort = new Thread(process::destroyForcibly, "end of " + process.pid());
        Runtime.getRuntime().addShutdownHook(lastResort);
        try {
            this.port = awaitPort();
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    /// What every server's JVM is started with.
    public static List<String> flags() {
        return List.of(System.getProperty(FLAGS, "--enable-native-access=ALL-UNNAMED")
                .strip()
                .split(" +"));
    }

    /// Starts `main` from the benches' class path and waits until it says that it is ready.
    ///
    /// @param log gets what it writes to standard error
    /// @throws IOException if it ends instead
    public static ServerProcess start(Path log, Class<?> main, String... arguments) throws IOException {
        return start(log, System.getProperty("java.class.path"), List.of(LOGGING), main, List.of(arguments));
    }

    /// Starts Millrace as the launcher does, from the jar that it starts; where that is not known, from the benches'
    /// class path.
    ///
    /// @param log gets what it writes to standard error
    /// @throws IOException if it ends instead
    public static ServerProcess startMillrace(Path log, List<String> arguments) throws IOException {
        return startMillrace(log, List.of(), arguments);
    }

    /// The same with more options for its JVM.
    public static ServerProcess startMillrace(Path log, List<String> options, List<String> arguments)
            throws IOException {
        String classPath = System.getProperty(JAR, System.getProperty("java.class.path"));
        // Nobody has to notice that it stops.
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("--shutdown-grace", "0"));
        return start(log, classPath, options, dev.millrace.cli.Main.class, all);
    }

    /// The command that starts `millrace` as the launcher does, without arguments.
    public static List<String> millrace() {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags());
        String classPath = System.getProperty(JAR, System.getProperty("java.class.path"));
        command.addAll(List.of("-cp", classPath, dev.millrace.cli.Main.class.getName()));
        return command;
    }

    private static ServerProcess start(
            Path log, String classPath, List<String> options, Class<?> main, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags());
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main.getName()));
        command.addAll(arguments);
        File errors = log.toFile();
        return new ServerProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.appendTo(errors))
                .start());
    }

    private int awaitPort() throws IOException {
        // Not closed: the process may not be able to write any more then.
        BufferedReader lines = process.inputReader();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            Matcher ready = READY.matcher(line);
            if (ready.matches()) {
                grpcPort = ready.group(2) == null ? -1 : Integer.parseInt(ready.group(2));
                return Integer.parseInt(ready.group(1));
            }
        }
        throw new IOException("a server ended before it was ready");
    }

    @Override
    public int port() {
        return port;
    }

    /// Where it answers gRPC; -1 if it does not.
    public int grpcPort() {
        return grpcPort;
    }

    @Override
    public double residentMebibytes() {
        String kibibytes = Machine.firstValue(Path.of("/proc/" + process.pid() + "/status"), "VmRSS", "NaN kB");
        return Double.parseDouble(kibibytes.replace("kB", "").strip()) / 1024;
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            Runtime.getRuntime().removeShutdownHook(lastResort);
        } catch (InterruptedException _) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
