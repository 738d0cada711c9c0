// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.util.List;
import java.util.Map;

/// A model that is made of others, as its `config.pbtxt` has it: steps that take tensors by name and give others.
///
/// @param signature what it takes and gives, batch dimension included
/// @param steps in the order of the file, which says nothing about when they run
public record EnsembleConfig(Signature signature, List<Step> steps) {
    /// The version of a step that stands for the one which is live.
    public static final long LIVE = -1;

    /// Makes the list immutable.
    public EnsembleConfig {
        steps = List.copyOf(steps);
    }

    /// One model of an ensemble.
    ///
    /// @param model its name
    /// @param version its version, or [#LIVE]
    /// @param inputs the ensemble's tensor for each of its inputs, by the input's name
    /// @param outputs the ensemble's tensor that each of its outputs becomes, by the output's name
    public record Step(String model, long version, Map<String, String> inputs, Map<String, String> outputs) {}
}
