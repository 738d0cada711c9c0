// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.util.List;
import java.util.Map;

/// What some columns of a model's input are made of.
///
/// @param monitor what whoever watches over the feature was told, as it was written
public record Feature(
        String name,
        List<Input> inputs,
        Treatment treatment,
        List<Transform> transforms,
        Checks checks,
        Columns columns,
        Map<String, String> monitor) {
    /// Nothing of it can change.
    public Feature {
        inputs = List.copyOf(inputs);
        transforms = List.copyOf(transforms);
        monitor = Map.copyOf(monitor);
    }

    /// What is asked of the columns.
    ///
    /// @param fallback what is written where there is no value; null for NaN
    public record Checks(List<Validation> validations, Double fallback) {
        /// The validations cannot change.
        public Checks {
            validations = List.copyOf(validations);
        }
    }

    /// The columns.
    ///
    /// @param names of the value's columns, then of the indicators'
    /// @param width how many of them are the value's
    /// @param emit whether they are written; if not, only other features use the value
    public record Columns(List<String> names, int width, boolean emit) {
        /// The names cannot change.
        public Columns {
            names = List.copyOf(names);
        }
    }
}
