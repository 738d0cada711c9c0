// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace conformance`: asks a server everything that the Open Inference Protocol V2 over HTTP says, and tells where
/// it answers otherwise.
@Command(
        name = "conformance",
        description =
                "Finds out what a server does of the Open Inference Protocol V2 over HTTP: sends it right and wrong"
                        + " requests, and reports case by case. Works with every server; the models that the cases need"
                        + " are written by --write-models, to be served by it.",
        footer = "%nExit status: 0 when the server does all that the specification asks for, as far as it could be"
                + " tried; 1 when not, or when it cannot be reached; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        versionProvider = ConformanceCommand.Versions.class,
        showDefaultValues = true,
        sortOptions = false)
public final class ConformanceCommand implements Callable<Integer> {
    private static final int MAX_TIMEOUT_SECONDS = 3600;

    @Parameters(paramLabel = "URL", arity = "0..1", description = "The server's address, as http://127.0.0.1:8000")
    private String url;

    @Option(
            names = "--write-models",
            paramLabel = "DIR",
            description = "Write the suite's models into a folder, in Triton's layout, and do nothing else.")
    private Path models;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "Try requests of every form on this model, by its metadata and inputs of ones, in place of"
                    + " the suite's own.")
    private String model;

    @Option(
            names = "--only",
            paramLabel = "CASE",
            split = ",",
            description = "Cases by number, range of numbers, id or group: 10-31,binary,http.split")
    private List<String> only = List.of();

    @Option(names = "--list", description = "List the cases and run none.")
    private boolean list;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "How long the server may take for each thing that it is asked.")
    private int timeoutSeconds = 10;

    @Option(names = "--header", paramLabel = "NAME=VALUE", description = "A header to send; may be given again.")
    private Map<String, String> headers = new LinkedHashMap<>();

    @Option(names = "--strict", description = "Exit with 1 also when a case of any level failed or deviates.")
    private boolean strict;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the results as JSON too.")
    private Path json;

    @Option(names = "--junit", paramLabel = "FILE", description = "Write the results as JUnit's XML too.")
    private Path junit;

    @Spec
    private CommandSpec spec;

    ConformanceCommand() {}

    @Override
    public Integer call() throws InterruptedException {
        List<Case> cases = cases();
        try {
            if (models != null) {
                Models.write(models);
                out().println("Wrote " + Models.names().size() + " models to " + models);
                return ExitCode.OK;
            }
            if (list) {
                cases.forEach(this::printCase);
                return ExitCode.OK;
            }
            return run(address(), cases);
        } catch (IOException e) {
            spec.commandLine().getErr().println("millrace: " + (models == null ? url : models) + ": " + e.getMessage());
            return ExitCode.SOFTWARE;
        }
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private List<Case> cases() {
        try {
            return Suite.only(only);
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    private void printCase(Case test) {
        out().println(String.format(
                Locale.ROOT,
                "%3d  %-26s  %-11s  %-30s  %s",
                test.number(),
                test.id(),
                test.level().label(),
                test.source(),
                test.expected()));
    }

    private Address address() {
        if (url == null) {
            throw wrong("which server? Give its address, as http://127.0.0.1:8000");
        }
        if (timeoutSeconds < 1 || timeoutSeconds > MAX_TIMEOUT_SECONDS) {
            throw wrong("--timeout must be from 1 to " + MAX_TIMEOUT_SECONDS + ", was " + timeoutSeconds);
        }
        headers.forEach((name, value) -> {
            if (!name.matches("[!#$%&'*+.^_`|~0-9A-Za-z-]+") || value.matches("(?s).*[\\r\\n\\x00].*")) {
                throw wrong("--header " + name + " is no header");
            }
        });
        try {
            return Address.of(url, headers);
        } catch (IllegalArgumentException e) {
            throw wrong(e.getMessage());
        }
    }

    private int run(Address address, List<Case> cases) throws IOException, InterruptedException {
        Runner runner = new Runner(address, model, Duration.ofSeconds(timeoutSeconds));
        Report report = new Report(url, runner.run(cases, result -> out().println(Report.line(result))));
        out().println();
        out().println(report.summary());
        write(json, report.json());
        write(junit, report.junit());
        boolean bad = strict
                ? report.results().stream().anyMatch(Result::isUnmet)
                : report.results().stream().anyMatch(Result::breaksSpecification);
        return bad ? ExitCode.SOFTWARE : ExitCode.OK;
    }

    private static void write(Path file, String text) throws IOException {
        if (file != null) {
            try {
                Files.writeString(file, text);
            } catch (IOException e) {
                throw new IOException("the results cannot be written to " + file + ": " + e, e);
            }
        }
    }

    /// What `--version` prints.
    static final class Versions implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = ConformanceCommand.class.getPackage().getImplementationVersion();
            return new String[] {"millrace " + (version == null ? "development" : version)};
        }
    }
}
