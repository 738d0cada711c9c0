// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.model.Batching;
import dev.millrace.ort.Cpu;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a comparison found. Immutable.
///
/// @param before the model that was there; nothing if one alone was looked at
/// @param after the model that is to take its place
/// @param rows how many rows of data both answered
/// @param differences by output; empty for one model alone
/// @param decisions what they decide; nothing if no output decides
/// @param speeds times of runs by how many rows they have
/// @param cpu what the times were taken on
public record ComparisonReport(
        Optional<Side> before,
        Side after,
        long rows,
        List<OutputDifference> differences,
        Optional<Decisions> decisions,
        List<Speed> speeds,
        Cpu cpu) {
    /// Makes the lists immutable.
    public ComparisonReport {
        differences = List.copyOf(differences);
        speeds = List.copyOf(speeds);
    }

    /// One of the models.
    ///
    /// @param file its file
    /// @param bytes what it takes on disk, with the files beside it that hold its constants
    /// @param batching how its rows may share runs
    /// @param quality how good it is, if there are labels
    public record Side(Path file, long bytes, Batching batching, Optional<Quality> quality) {}

    /// What is decided.
    ///
    /// @param output the output that decides
    /// @param rule how it decides
    /// @param rows how many decisions were compared
    /// @param flips how many of them are not the same; 0 for one model alone
    public record Decisions(String output, Rule rule, long rows, long flips) {
        /// The share of decisions that are not the same.
        public double share() {
            return rows == 0 ? 0 : (double) flips / rows;
        }
    }
}
