// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.transform.FeaturesExplainCommand;
import dev.millrace.transform.FeaturesExportCommand;
import dev.millrace.transform.FeaturesFitCommand;
import dev.millrace.transform.FeaturesParityCommand;
import dev.millrace.transform.FeaturesTransformCommand;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `millrace features`: what is done with features and the embedded feature store, without a
/// server.
@Command(
        name = "features",
        description = "Fills an embedded feature store from files and looks into it; learns features from files,"
                + " computes, compares and explains them, and writes them as ONNX graphs.",
        mixinStandardHelpOptions = true,
        subcommands = {
            FeaturesLoadCommand.class,
            FeaturesGetCommand.class,
            FeaturesStatsCommand.class,
            FeaturesFitCommand.class,
            FeaturesTransformCommand.class,
            FeaturesParityCommand.class,
            FeaturesExplainCommand.class,
            FeaturesExportCommand.class
        })
public final class FeaturesCommand implements Runnable {
    /// Held, so that it stays as it is set here.
    private static final Logger PARQUET = Logger.getLogger("dev.hardwood");

    @Spec
    private CommandSpec spec;

    FeaturesCommand() {
        PARQUET.setLevel(Level.WARNING);
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(),
                "what is to be done with features? There are: load, get, stats, fit, transform, parity, explain,"
                        + " export");
    }
}
