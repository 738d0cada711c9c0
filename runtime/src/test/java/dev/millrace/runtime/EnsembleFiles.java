// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// Configurations of ensembles whose steps follow one another, each of rows of one number, `x` to `y`.
final class EnsembleFiles {
    private EnsembleFiles() {}

    /// Puts an ensemble into a repository.
    ///
    /// @param keepsPrevious whether what it replaces is kept warm
    /// @param steps of each step `model_name`, and `model_version` if it is a certain one
    static void write(Path root, String name, boolean keepsPrevious, List<String> steps) {
        StringBuilder text = new StringBuilder("""
            platform: "ensemble"
            max_batch_size: 64
            input { name: "x" data_type: TYPE_FP32 dims: 1 }
            output { name: "y" data_type: TYPE_FP32 dims: 1 }
            """);
        if (keepsPrevious) {
            text.append("parameters { key: \"keep_previous\" value { string_value: \"1\" } }\n");
        }
        text.append("ensemble_scheduling {\n");
        for (int i = 0; i < steps.size(); i++) {
            String from = i == 0 ? "x" : "t" + i;
            String to = i == steps.size() - 1 ? "y" : "t" + (i + 1);
            text.append("  step { ")
                    .append(steps.get(i))
                    .append(" input_map { key: \"x\" value: \"")
                    .append(from)
                    .append("\" } output_map { key: \"y\" value: \"")
                    .append(to)
                    .append("\" } }\n");
        }
        try {
            Files.createDirectories(root.resolve(name).resolve("1"));
            Files.writeString(root.resolve(name).resolve("config.pbtxt"), text.append("}\n"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
