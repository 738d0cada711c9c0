// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import dev.millrace.conformance.ConformanceCommand;
import dev.millrace.load.LoadCommand;
import dev.millrace.score.ScoreCommand;
import dev.millrace.server.Version;
import dev.millrace.tool.FeaturesCommand;
import dev.millrace.tool.ModelCommand;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.Spec;

/// The `millrace` command.
@Command(
        name = "millrace",
        description =
                "Serves ONNX models, answered in microseconds, looks at models and features, and tests and puts load"
                        + " on servers.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Versions.class,
        footer = {
            "",
            "From a checkout, the launcher also has",
            "  bench  Measures how long a model takes: millrace bench --help"
        },
        subcommands = {
            ServeCommand.class,
            LoadCommand.class,
            ConformanceCommand.class,
            ModelCommand.class,
            FeaturesCommand.class,
            ScoreCommand.class
        })
public final class Main implements Runnable {
    /// Commands that are no servers: of their logs only what is wrong is of use.
    private static final Set<String> QUIET = Set.of("model", "features", "score");

    @Spec
    private CommandSpec spec;

    private Main() {}

    /// Runs the command and exits with its exit code: 0 when all went well, 2 when it was called
    /// wrongly, 1 otherwise.
    public static void main(String[] arguments) {
        int code = run(writer(System.out), writer(System.err), arguments);
        if (code != 0) {
            System.exit(code);
        }
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, stream.charset());
    }

    /// Runs the command and returns its exit code.
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        return commandLine()
                .setOut(out)
                .setErr(err)
                .setParameterExceptionHandler(Main::complain)
                .setExecutionStrategy(Main::runLast)
                .execute(arguments);
    }

    /// What works on models logs; its output is not for that. The server sees to its log itself.
    private static int runLast(ParseResult parsed) {
        if (parsed.hasSubcommand()
                && QUIET.contains(parsed.subcommand().commandSpec().name())) {
            Logging.toStandardError(false);
        }
        return new RunLast().execute(parsed);
    }

    /// The command with all its options.
    static CommandLine commandLine() {
        CommandLine command = new CommandLine(new Main());
        CommandLine serve = command.getSubcommands().get("serve");
        serve.<ServeCommand>getCommand().limits().addTo(serve.getCommandSpec());
        return command.setCaseInsensitiveEnumValuesAllowed(true);
    }

    /// One line: the whole usage would hide what is wrong.
    private static int complain(ParameterException problem, String[] arguments) {
        CommandLine command = problem.getCommandLine();
        command.getErr()
                .println("millrace: " + problem.getMessage() + " (see '"
                        + command.getCommandSpec().qualifiedName() + " --help')");
        return CommandLine.ExitCode.USAGE;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "which command? There are: serve, load, conformance, model, features, score");
    }

    /// What `--version` prints.
    static final class Versions implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"millrace " + Version.number()};
        }
    }
}
