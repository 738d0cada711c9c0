// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import dev.millrace.load.LoadCommand;
import dev.millrace.server.Version;
import java.io.PrintStream;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The `millrace` command.
@Command(
        name = "millrace",
        description = "Serves ONNX models, answered in microseconds, and puts load on servers.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Versions.class,
        footer = {
            "",
            "From a checkout, the launcher also has",
            "  bench  Measures how long a model takes: millrace bench --help"
        },
        subcommands = {ServeCommand.class, LoadCommand.class})
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    private Main() {}

    /// Runs the command and exits with its exit code: 0 when all went well, 2 when it was called wrongly, 1 otherwise.
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
        CommandLine command = new CommandLine(new Main());
        CommandLine serve = command.getSubcommands().get("serve");
        serve.<ServeCommand>getCommand().limits().addTo(serve.getCommandSpec());
        return command.setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Main::complain)
                .execute(arguments);
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
        throw new ParameterException(spec.commandLine(), "which command? There are: serve, load");
    }

    /// What `--version` prints.
    static final class Versions implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"millrace " + Version.number()};
        }
    }
}
