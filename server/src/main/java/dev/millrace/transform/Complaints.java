// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.spec.FeatureSpecException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;

/// Runs what a command does, and tells what kept it from doing so, in a line each. Stateless.
final class Complaints {
    private Complaints() {}

    /// What a command does.
    @FunctionalInterface
    interface Work {
        /// @return the exit status
        int run() throws IOException;
    }

    /// The work's exit status, or 1 if it did not come to an end.
    static int run(CommandSpec spec, Work work) {
        PrintWriter err = spec.commandLine().getErr();
        try {
            return work.run();
        } catch (FeatureSpecException e) {
            return complain(err, e.problems());
        } catch (NoSuchFileException e) {
            return complain(
                    err, e.getFile() + ": " + (e.getReason() == null ? "there is no such file" : e.getReason()));
        } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
            return complain(err, e.getMessage());
        }
    }

    private static int complain(PrintWriter err, String problem) {
        return complain(err, List.of(problem));
    }

    private static int complain(PrintWriter err, List<String> problems) {
        problems.forEach(problem -> err.println("millrace: " + plain(problem)));
        err.flush();
        return ExitCode.SOFTWARE;
    }

    /// One line of characters that can be seen, whatever the data has.
    static String plain(String said) {
        return said.replaceAll("[\\p{Cc}\\p{Cf}\\s]+", " ").strip();
    }
}
