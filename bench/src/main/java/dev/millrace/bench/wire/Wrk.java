// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import dev.millrace.bench.route.Gate;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The load generator `wrk`, a program of its own, with one thread: every connection sends the same request again as
/// soon as it was answered.
///
/// Threads: one. Ownership: it deletes its script.
public final class Wrk implements AutoCloseable {
    private static final Pattern RATE = Pattern.compile("(?m)^Requests/sec: *([\\d.]+)$");
    private static final Pattern REFUSED = Pattern.compile("(?m)^ *(Non-2xx or 3xx responses|Socket errors): .*$");
    private static final Pattern TIME = Pattern.compile("([\\d.]+)(us|ms|s|m|h)");

    /// What one load found out.
    ///
    /// @param requestsPerSecond requests answered per second
    /// @param p50 microseconds that half of the requests did not exceed
    /// @param p99 as `p50`, 99 of 100 requests
    public record Load(double requestsPerSecond, double p50, double p99) {}

    private final Path program;
    private final Path log;
    private final Path script;

    /// @param request what is sent, wherever it is sent to
    /// @param log gets what it prints
    public Wrk(Path program, Post request, Path log) throws IOException {
        this.program = program;
        this.log = log;
        this.script = Files.createTempFile("millrace-bench", ".lua");
        StringBuilder text = new StringBuilder("wrk.method = \"POST\"\n");
        request.headers()
                .forEach((name, value) -> text.append("wrk.headers[\"%s\"] = \"%s\"\n".formatted(name, value)));
        Files.writeString(script, text.append("wrk.body = ").append(literal(request.body())));
    }

    /// Any bytes as a string of Lua.
    private static String literal(byte[] bytes) {
        StringBuilder text = new StringBuilder(4 * bytes.length).append('"');
        for (byte octet : bytes) {
            text.append(String.format(Locale.ROOT, "\\%03d", Byte.toUnsignedInt(octet)));
        }
        return text.append('"').toString();
    }

    /// The program, if it is on the path.
    public static Optional<Path> find() {
        return find("wrk");
    }

    /// A program, if it is on the path.
    static Optional<Path> find(String program) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.of(path.split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, program))
                .filter(file -> Files.isExecutable(file) && !Files.isDirectory(file))
                .findFirst();
    }

    /// Loads a server.
    ///
    /// @throws Gate.Refusal if a request was not answered with success
    public Load run(String url, int connections, int seconds) throws IOException {
        Process process = new ProcessBuilder(
                        program.toString(),
                        "-t1",
                        "-c" + connections,
                        "-d" + seconds + "s",
                        "--latency",
                        "-s",
                        script.toString(),
                        url)
                .redirectErrorStream(true)
                .start();
        String output;
        try (var in = process.getInputStream()) {
            output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            process.destroy();
        }
        Files.writeString(log, output, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return parse(output);
    }

    /// Reads what it prints.
    ///
    /// @throws Gate.Refusal if that says that a request was not answered with success
    public static Load parse(String output) throws IOException {
        Matcher refused = REFUSED.matcher(output);
        if (refused.find()) {
            throw new Gate.Refusal("under load: " + refused.group().strip(), null);
        }
        Matcher rate = RATE.matcher(output);
        if (!rate.find()) {
            throw new IOException("wrk measured nothing: " + output.strip());
        }
        return new Load(Double.parseDouble(rate.group(1)), percentile(output, 50), percentile(output, 99));
    }

    private static double percentile(String output, int percent) throws IOException {
        for (String line : List.of(output.split("\n"))) {
            String[] words = line.strip().split(" +");
            if (words.length == 2 && words[0].equals(percent + "%")) {
                return micros(words[1]);
            }
        }
        throw new IOException("wrk printed no percentile " + percent + ": " + output.strip());
    }

    private static double micros(String text) throws IOException {
        Matcher time = TIME.matcher(text);
        if (!time.matches()) {
            throw new IOException("wrk printed '" + text + "', expected a time");
        }
        double unit = switch (time.group(2)) {
            case "us" -> 1;
            case "ms" -> 1e3;
            case "s" -> 1e6;
            case "m" -> 60e6;
            default -> 3600e6;
        };
        return unit * Double.parseDouble(time.group(1));
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(script);
    }
}
