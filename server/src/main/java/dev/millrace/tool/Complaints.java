// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.onnx.InvalidModelException;
import dev.millrace.ort.OrtFailure;
import dev.millrace.version.TrialFailed;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;

/// Runs what a command does, and tells in one line what kept it from doing so. Threads: one.
final class Complaints {
    private final CommandSpec spec;

    private Complaints(CommandSpec spec) {
        this.spec = spec;
    }

    static Complaints of(CommandSpec spec) {
        return new Complaints(spec);
    }

    /// The work's exit status, or 1 if it did not come to an end.
    int run(Callable<Integer> work) {
        try {
            return work.call();
        } catch (NoSuchFileException e) {
            return complain(e.getFile() + ": " + (e.getReason() == null ? "there is no such file" : e.getReason()));
        } catch (IOException
                | UncheckedIOException
                | InvalidModelException
                | OrtFailure
                | TrialFailed
                | IllegalArgumentException e) {
            return complain(e.getMessage());
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private int complain(String problem) {
        spec.commandLine().getErr().println("millrace: " + ReportText.plain(problem));
        return ExitCode.SOFTWARE;
    }
}
