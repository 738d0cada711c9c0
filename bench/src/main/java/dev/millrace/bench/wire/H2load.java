// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import dev.millrace.bench.route.Gate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The load generator `h2load` for HTTP/2, a program of its own, with one thread: every stream sends the same request
/// again as soon as it was answered.
///
/// Threads: one. Ownership: it deletes its files.
public final class H2load implements AutoCloseable {
    private static final Pattern RATE = Pattern.compile("(?m)^finished in [\\d.]+m?s, ([\\d.]+) req/s,");
    private static final Pattern COUNTS = Pattern.compile(
            "(?m)^requests: (\\d+) total, \\d+ started, (\\d+) done, (\\d+) succeeded, (\\d+) failed, (\\d+) errored");

    private final Path program;
    private final Path log;
    private final Path body;
    private final Path times;
    private final Post request;

    /// What one load found out.
    ///
    /// @param load rate and percentiles
    /// @param answered requests that were answered with status 200
    public record Outcome(Wrk.Load load, long answered) {}

    /// @param request what is sent, wherever it is sent to
    /// @param log gets what it prints
    public H2load(Path program, Post request, Path log) throws IOException {
        this.program = program;
        this.request = request;
        this.log = log;
        this.body = Files.createTempFile("millrace-bench", ".body");
        this.times = Files.createTempFile("millrace-bench", ".times");
        Files.write(body, request.body());
    }

    /// The program, if it is on the path.
    public static Optional<Path> find() {
        return Wrk.find("h2load");
    }

    /// Loads a server.
    ///
    /// @param port where it listens on this machine
    /// @param streams on each connection
    /// @throws Gate.Refusal if a request was not answered with success
    public Outcome run(int port, int connections, int streams, int seconds) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                program.toString(),
                "-t1",
                "-c" + connections,
                "-m" + streams,
                "-D" + seconds,
                "-d",
                body.toString(),
                "--log-file",
                times.toString()));
        request.headers().forEach((name, value) -> command.addAll(List.of("-H", name + ": " + value)));
        command.add("http://127.0.0.1:" + port + request.path());
        Files.write(times, new byte[0]);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output;
        try (var in = process.getInputStream()) {
            output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            process.destroy();
        }
        Files.writeString(log, output, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return parse(output, Files.readAllLines(times));
    }

    /// Reads what it prints, and its file of times.
    ///
    /// @throws Gate.Refusal if that says that a request was not answered with success
    static Outcome parse(String output, List<String> times) throws IOException {
        Matcher rate = RATE.matcher(output);
        Matcher counts = COUNTS.matcher(output);
        if (!rate.find() || !counts.find() || times.isEmpty()) {
            throw new IOException("h2load measured nothing: " + output.strip());
        }
        if (!counts.group(4).equals("0") || !counts.group(5).equals("0")) {
            throw new Gate.Refusal("under load: " + counts.group().strip(), null);
        }
        long[] micros = times.stream()
                .mapToLong(line -> Long.parseLong(line.split("\t")[2]))
                .sorted()
                .toArray();
        Wrk.Load load =
                new Wrk.Load(Double.parseDouble(rate.group(1)), percentile(micros, 0.5), percentile(micros, 0.99));
        return new Outcome(load, Long.parseLong(counts.group(3)));
    }

    private static double percentile(long[] sorted, double part) {
        return Arrays.stream(sorted)
                .skip((long) (part * (sorted.length - 1)))
                .findFirst()
                .orElseThrow();
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(body);
        Files.deleteIfExists(times);
    }
}
