// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.route.DjlEngine;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.route.Settings;
import dev.millrace.bench.route.Unavailable;
import dev.millrace.ort.OrtFailure;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.openjdk.jmh.runner.RunnerException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace bench`: how long one model takes by each route, beside the floor. The launcher starts it.
@Command(
        name = "millrace bench",
        description =
                "Measures how long an ONNX model takes: ONNX Runtime's C API with everything prepared (the floor),"
                        + " ONNX Runtime's and DJL's Java APIs, and Millrace, each in JVMs of its own. Only those are"
                        + " timed who answer like the floor. The table goes to standard output.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
public final class BenchCommand implements Callable<Integer> {
    private static final String DEFAULT_BATCHES = "1,8,32,128";

    @Parameters(paramLabel = "MODEL.onnx", description = "The model.")
    private Path model;

    @Option(
            names = "--batch",
            paramLabel = "N,N...",
            split = ",",
            description = "Rows per call, for models with a variable leading dimension. Default: " + DEFAULT_BATCHES,
            showDefaultValue = CommandLine.Help.Visibility.NEVER)
    private List<Integer> batches = List.of();

    @Option(
            names = "--shape",
            paramLabel = "NAME=N,N...",
            description = "The shape of an input that the model leaves open, all dimensions; may be given again."
                    + " A variable leading dimension is the batch, whatever stands here.")
    private List<String> shapes = List.of();

    @Option(
            names = "--integers-below",
            paramLabel = "N",
            description = "Integer inputs are drawn from 0 to N - 1; other numbers are Gaussian.")
    private int integersBelow = Settings.DEFAULT.integersBelow();

    @Option(
            names = "--routes",
            paramLabel = "R,R...",
            split = ",",
            description =
                    "Which to compare with the floor, of: row-runner, ort-typical, ort-pinned, djl, call, predict."
                            + " Default: all",
            showDefaultValue = CommandLine.Help.Visibility.NEVER)
    private List<String> routes = List.of();

    @Option(names = "--threads", paramLabel = "N", description = "Threads that one run may use.")
    private int threads = Settings.DEFAULT.threads();

    @Option(names = "--quick", description = "Measure once and shortly: to try it out.")
    private boolean quick;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Folder for <model>.md, .json, .svg (the chart) and .log (JMH's output).")
    private Path out;

    @Spec
    private CommandSpec spec;

    private BenchCommand() {}

    /// Runs the command and exits with its exit code: 0 when all that could be timed was, 2 when it was called wrongly,
    /// 1 when something failed or answered wrongly.
    public static void main(String[] arguments) {
        System.exit(command().execute(arguments));
    }

    static CommandLine command() {
        return new CommandLine(new BenchCommand()).setParameterExceptionHandler((problem, _) -> {
            CommandLine command = problem.getCommandLine();
            command.getErr().println("millrace: " + problem.getMessage() + " (see 'millrace bench --help')");
            return CommandLine.ExitCode.USAGE;
        });
    }

    @Override
    public Integer call() throws IOException {
        Effort effort = quick ? Effort.BRIEF : Effort.THOROUGH;
        ModelBench.Plan plan = new ModelBench.Plan(model, batches(), batches.isEmpty(), chosen(), settings(), effort);
        if (plan.routes().contains(Route.DJL)) {
            DjlEngine.start();
        }
        Path log = out == null ? Files.createTempFile("millrace-bench", ".log") : file(".log");
        try (PrintStream jmh = new PrintStream(log.toFile(), StandardCharsets.UTF_8)) {
            ModelBench.Findings findings = new ModelBench(plan, System.err, jmh).measure();
            report(findings);
            if (out == null) {
                Files.delete(log);
            }
            return findings.refused().isEmpty() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        } catch (Unavailable | OrtFailure | Gate.Refusal e) {
            return complain(e.getMessage());
        } catch (RunnerException e) {
            return complain("a measurement failed: " + e.getMessage() + "; " + log + " has JMH's output");
        } catch (UncheckedIOException e) {
            return complain(e.getCause().getMessage());
        }
    }

    private int complain(String message) {
        spec.commandLine().getErr().println("millrace: " + message);
        return CommandLine.ExitCode.SOFTWARE;
    }

    private void report(ModelBench.Findings findings) throws IOException {
        String table = ModelReport.markdown(findings);
        if (out != null) {
            Files.writeString(file(".md"), table);
            Files.writeString(file(".json"), ModelReport.json(findings));
            Files.writeString(file(".svg"), ModelReport.chart(findings));
            System.err.println("written to " + file(".md") + ", .json, .svg and .log");
        }
        spec.commandLine().getOut().print(table);
        spec.commandLine().getOut().flush();
    }

    private Path file(String ending) throws IOException {
        String name = model.getFileName().toString().replaceFirst("\\.onnx$", "");
        return Files.createDirectories(out).resolve(name + ending);
    }

    private List<Integer> batches() {
        List<Integer> all = batches.isEmpty()
                ? Arrays.stream(DEFAULT_BATCHES.split(","))
                        .map(Integer::valueOf)
                        .toList()
                : batches;
        for (int batch : all) {
            if (batch < 1) {
                throw wrong("--batch must be at least 1, was " + batch);
            }
        }
        return List.copyOf(new TreeSet<>(all));
    }

    /// The floor and what is compared with it, in the order of the tables.
    private List<Route> chosen() {
        List<Route> all = new ArrayList<>(List.of(Route.values()));
        if (routes.isEmpty()) {
            return all;
        }
        for (String word : routes) {
            if (all.stream().noneMatch(route -> route.word().equals(word))) {
                throw wrong("--routes: there is no '" + word + "', there are "
                        + all.stream().map(Route::word).toList());
            }
        }
        all.removeIf(route -> route != Route.FLOOR && !routes.contains(route.word()));
        return all;
    }

    private Settings settings() {
        if (threads < 1 || integersBelow < 1) {
            throw wrong("--threads and --integers-below must be at least 1");
        }
        return new Settings(threads, integersBelow, parse(shapes));
    }

    private Map<String, List<Long>> parse(List<String> words) {
        Map<String, List<Long>> parsed = new LinkedHashMap<>();
        for (String word : words) {
            int equals = word.lastIndexOf('=');
            if (equals < 1 || !word.substring(equals + 1).matches("-?\\d{1,9}(,-?\\d{1,9})*")) {
                throw wrong("--shape must be like image=1,3,224,224, was " + word);
            }
            List<Long> dims = Arrays.stream(word.substring(equals + 1).split(","))
                    .map(Long::valueOf)
                    .toList();
            parsed.put(word.substring(0, equals), dims);
        }
        return parsed;
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
