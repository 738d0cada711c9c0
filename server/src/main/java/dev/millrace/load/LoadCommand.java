// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace load`: puts a load on a server that speaks the Open Inference Protocol V2 over HTTP, and says how it
/// answered.
@Command(
        name = "load",
        description =
                "Sends requests to a model at random times (Poisson) that do not depend on the answers, and reports"
                    + " latencies from the times at which the requests were due. Works with every server that speaks"
                    + " the Open Inference Protocol V2 over HTTP.",
        footer = "%nExit status: 0 when all requests were answered and --p99, if given, was held; 1 when not; 2 when"
                + " called wrongly. DURATION is a number with a unit: 10s, 500ms, 250us, 1m.",
        mixinStandardHelpOptions = true,
        versionProvider = LoadCommand.Versions.class,
        showDefaultValues = true,
        sortOptions = false)
public final class LoadCommand implements Callable<Integer> {
    private static final Set<String> OWN_HEADERS =
            Set.of("host", "content-length", "connection", "transfer-encoding", "expect", "upgrade");
    private static final double DEFAULT_START = 1000;
    private static final double MAX_RATE = 1e7;
    private static final int MAX_CONNECTIONS = 20_000;
    private static final double PRECISION = 0.02;
    private static final String STANDARD_OUTPUT = "-";

    @Parameters(paramLabel = "URL", description = "The server's address, as http://127.0.0.1:8000")
    private String url;

    @Option(names = "--model", required = true, paramLabel = "M", description = "The model to ask.")
    private String model;

    @Option(names = "--model-version", paramLabel = "V", description = "Its version, if not the server's choice.")
    private String version;

    @Option(names = "--rate", paramLabel = "R", description = "Requests per second; with --find-max the first to try.")
    private Double rate;

    @Option(
            names = "--find-max",
            description = "Search the highest rate that keeps p99 at --p99 or below, to 2 %%; every rate is tried for"
                    + " --duration, and a second time if it was not held.")
    private boolean findMax;

    @Option(
            names = "--closed",
            description = "No rate: every connection sends the next request as soon as the last was answered."
                    + " Shows the most that can be answered, not the latency that users would see.")
    private boolean closed;

    @Option(
            names = "--p99",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            description = "The bound to hold: 99 of 100 requests are answered within it.")
    private Duration p99;

    @Option(
            names = "--duration",
            paramLabel = "DURATION",
            defaultValue = "10s",
            converter = DurationConverter.class,
            description = "How long requests are counted.")
    private Duration duration;

    @Option(
            names = "--warmup",
            paramLabel = "DURATION",
            defaultValue = "1s",
            converter = DurationConverter.class,
            description = "How long before that they are sent and not counted.")
    private Duration warmup;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            defaultValue = "5s",
            converter = DurationConverter.class,
            description = "After which a request is given up, from the time it was due.")
    private Duration timeout;

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "128",
            description = "Connections, used in turn, each for one request at a time.")
    private int connections;

    @Option(
            names = "--data",
            paramLabel = "FILE",
            description =
                    "Request bodies: JSON objects, one after the other, sent in turn. Without it inputs are random.")
    private Path data;

    @Option(
            names = "--batch",
            paramLabel = "ROWS",
            defaultValue = "1",
            description = "Rows of random inputs whose first dimension may vary.")
    private long batch;

    @Option(
            names = "--shape",
            paramLabel = "INPUT=D1,D2,..",
            description = "The shape of a random input; may be given again.")
    private Map<String, String> shapes = new TreeMap<>();

    @Option(names = "--header", paramLabel = "NAME=VALUE", description = "A header to send; may be given again.")
    private Map<String, String> headers = new LinkedHashMap<>();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The same seed makes the same times and the same random inputs.")
    private long seed;

    @Option(
            names = "--json",
            paramLabel = "FILE",
            description = "Write the result as JSON too; - for stdout, then the report goes to stderr.")
    private String json;

    @Spec
    private CommandSpec spec;

    LoadCommand() {}

    @Override
    public Integer call() throws InterruptedException {
        // Its warnings go to stderr by the JDK's own logging, which wants no setting up.
        InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
        LoadPlan plan = plan();
        Target target = target();
        Map<String, String> sent = sentHeaders();
        Map<String, List<Long>> fixedShapes = fixedShapes();
        try (Requests requests = new Requests(target, sent, bodies(target, sent, fixedShapes))) {
            return findMax ? search(target, plan, requests) : load(target, plan, requests);
        } catch (LoadException e) {
            err().println("millrace: " + e.getMessage());
            return ExitCode.SOFTWARE;
        }
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }

    /// Where the report goes.
    private PrintWriter out() {
        return STANDARD_OUTPUT.equals(json) ? err() : spec.commandLine().getOut();
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private LoadPlan plan() {
        if (closed && (findMax || rate != null || p99 != null)) {
            throw wrong("--closed has no rate and no bound; leave out --rate, --find-max and --p99");
        }
        if (!closed && !findMax && rate == null) {
            throw wrong("how much? Give --rate, --find-max with --p99, or --closed");
        }
        if (findMax && p99 == null) {
            throw wrong("--find-max needs a bound; give --p99, as --p99 2ms");
        }
        if (rate != null && !(rate > 0 && rate <= MAX_RATE)) {
            throw wrong("--rate must be above 0 and at most 10000000, was " + rate);
        }
        if (connections < 1 || connections > MAX_CONNECTIONS) {
            throw wrong("--connections must be from 1 to " + MAX_CONNECTIONS + ", was " + connections);
        }
        if (batch < 1) {
            throw wrong("--batch must be at least 1, was " + batch);
        }
        checkPositive("--duration", duration);
        checkPositive("--timeout", timeout);
        checkPositive("--p99", p99);
        double wished = closed ? 0 : rate != null ? rate : DEFAULT_START;
        return new LoadPlan(wished, connections, warmup.toNanos(), duration.toNanos(), timeout.toNanos(), seed);
    }

    private void checkPositive(String name, Duration value) {
        if (value != null && value.isZero()) {
            throw wrong(name + " must be above 0");
        }
    }

    private Target target() {
        try {
            return Target.of(url, model, version);
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    private Map<String, String> sentHeaders() {
        Map<String, String> sent = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        sent.put("Content-Type", "application/json");
        headers.forEach((name, value) -> {
            if (OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
                throw wrong("--header " + name + " is the generator's to set");
            }
            if (!name.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+") || value.matches("(?s).*[\\r\\n\\x00].*")) {
                throw wrong("--header " + name + " is no header");
            }
            sent.put(name, value);
        });
        return sent;
    }

    private Map<String, List<Long>> fixedShapes() {
        Map<String, List<Long>> fixed = new TreeMap<>();
        shapes.forEach((name, text) -> {
            List<Long> shape = new ArrayList<>();
            for (String size : text.split(",", -1)) {
                if (!size.matches("\\d{1,18}")) {
                    throw wrong("--shape " + name + "=" + text + " is no list of sizes like 1,128");
                }
                shape.add(Long.parseLong(size));
            }
            fixed.put(name, shape);
        });
        return fixed;
    }

    private List<byte[]> bodies(Target target, Map<String, String> sent, Map<String, List<Long>> fixedShapes)
            throws LoadException, InterruptedException {
        List<byte[]> bodies = data == null ? null : BodyFile.read(data);
        try (ServerClient client = new ServerClient(target, sent, timeout)) {
            if (bodies == null) {
                bodies = RandomBodies.make(client.metadata(), fixedShapes, batch, seed);
            }
            client.tryOut(bodies.getFirst());
            return bodies;
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    private int load(Target target, LoadPlan plan, Requests requests) throws LoadException, InterruptedException {
        out().println(target.uri(target.inferPath()));
        out().println(TextReport.title(plan));
        out().println();
        LoadResult result =
                LoadRun.run(target, plan, requests, 0, second -> err().println(TextReport.of(second, plan)));
        out().print(TextReport.of(result));
        boolean good = result.failures() == 0 && result.successes() > 0;
        if (p99 != null) {
            good = result.holds(p99.toNanos());
            out().println();
            out().println("p99 <= " + Figures.round(p99.toNanos()) + (good ? " is held" : " is NOT held"));
        }
        out().flush();
        write(report(target).of(result));
        return good ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private int search(Target target, LoadPlan plan, Requests requests) throws LoadException, InterruptedException {
        out().println(target.uri(target.inferPath()));
        RateTrials trials = new RateTrials(plan, p99.toNanos(), out());
        OptionalDouble highest = trials.search(
                PRECISION,
                trial -> LoadRun.run(
                        target, trial, requests, p99.toNanos(), second -> err().println(TextReport.of(second, trial))));
        out().flush();
        write(report(target).of(highest, trials.results()));
        return highest.isPresent() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private JsonReport report(Target target) {
        List<String> command = new ArrayList<>(List.of("millrace"));
        command.addAll(spec.commandLine().getParseResult().originalArgs());
        return new JsonReport(
                Instant.now(),
                command,
                Machine.describe(),
                target.uri(target.inferPath()).toString(),
                p99 == null ? 0 : p99.toNanos());
    }

    private void write(String document) throws LoadException {
        if (json == null) {
            return;
        }
        if (STANDARD_OUTPUT.equals(json)) {
            spec.commandLine().getOut().print(document);
            spec.commandLine().getOut().flush();
            return;
        }
        try {
            Files.writeString(Path.of(json), document);
        } catch (IOException e) {
            throw new LoadException("cannot write " + json + ": " + e.getClass().getSimpleName(), e);
        }
    }

    /// What `--version` prints.
    static final class Versions implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = LoadCommand.class.getPackage().getImplementationVersion();
            return new String[] {"millrace " + (version == null ? "development" : version)};
        }
    }
}
