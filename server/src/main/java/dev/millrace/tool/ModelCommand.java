// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `millrace model`: what is done with model files, without a server.
@Command(
        name = "model",
        description = "Looks at model files, compares them, and makes others of them.",
        mixinStandardHelpOptions = true,
        subcommands = {
            InspectCommand.class,
            CompareCommand.class,
            CardCommand.class,
            QuantizeCommand.class,
            ConvertCommand.class,
            RebatchCommand.class,
            OptimizeCommand.class,
            ImportCommand.class
        })
public final class ModelCommand implements Runnable {
    /// The library that reads Parquet says there which of its ways it takes; held, so that it stays as it is set here.
    private static final Logger PARQUET = Logger.getLogger("dev.hardwood");

    @Spec
    private CommandSpec spec;

    ModelCommand() {
        PARQUET.setLevel(Level.WARNING);
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "what is to be done with a model? There are: inspect, compare, card, quantize, convert, rebatch,"
                        + " optimize, import");
    }
}
