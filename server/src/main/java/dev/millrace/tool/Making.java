// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.convert.ConversionFailed;
import dev.millrace.onnx.InvalidModelException;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.ort.OrtFailure;
import dev.millrace.version.TrialFailed;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/// What commands have in common that make a model of another: the files, a trial of what is read, and the ends that it
/// may come to. Threads: one.
final class Making {
    /// Makes the model.
    @FunctionalInterface
    interface Step {
        /// @return what is to be printed, lines of a word and what there is to say
        String make(Path in, Path out) throws IOException;
    }

    @Parameters(index = "0", paramLabel = "IN", description = "The model, an ONNX file.")
    private Path in;

    @Parameters(index = "1", paramLabel = "OUT", description = "Where what is made of it goes.")
    private Path out;

    @Mixin
    private TrialOptions trial;

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    Making() {}

    /// The command as it was called.
    CommandLine command() {
        return spec.commandLine();
    }

    int run(Step step) {
        trial.limits();
        try {
            if (isSame(in, out)) {
                throw new ParameterException(command(), "OUT is IN; the model would be lost");
            }
            if (Files.isDirectory(out)) {
                return complain(out, "it is a folder, expected a file");
            }
            check();
            trial.run(in);
            String text = step.make(in, out);
            PrintWriter to = command().getOut();
            to.print(text);
            to.flush();
            return ExitCode.OK;
        } catch (NoSuchFileException e) {
            Path gone = Path.of(e.getFile());
            return complain(gone, gone.equals(in) ? "there is no such file" : "there is no such file or folder");
        } catch (IOException e) {
            return complain(in, "it cannot be read, or " + out + " not be written: " + e);
        } catch (InvalidModelException | ConversionFailed e) {
            return complain(in, e.getMessage());
        } catch (TrialFailed | OrtFailure e) {
            return complain(in, "it cannot be run: " + e.getMessage());
        }
    }

    private static boolean isSame(Path one, Path other) throws IOException {
        return one.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize())
                || (Files.exists(one) && Files.exists(other) && Files.isSameFile(one, other));
    }

    /// What a trial would say less clearly.
    private void check() throws IOException {
        try (OnnxFile model = OnnxFile.open(in)) {
            for (String location : model.externalFiles()) {
                if (isSame(in.toAbsolutePath().resolveSibling(location), out)) {
                    throw new ParameterException(command(), "OUT has tensors of IN in it, which would be lost");
                }
            }
        }
        Path folder = out.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) {
            throw new NoSuchFileException(folder.toString());
        }
    }

    private int complain(Path about, String problem) {
        command().getErr().println("millrace: " + about + ": " + ReportText.plain(problem));
        return ExitCode.SOFTWARE;
    }
}
