// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

/// A model version of the repositories, and how it stands.
///
/// @param model the model's name
/// @param version the version; 0 where the model has none
/// @param state whether requests are answered
/// @param reason why they are not; empty if they are
public record IndexEntry(String model, long version, State state, String reason) {
    /// How a model version stands, by the names of the repository extension.
    public enum State {
        LOADING,
        READY,
        UNAVAILABLE,
        UNLOADING
    }
}
