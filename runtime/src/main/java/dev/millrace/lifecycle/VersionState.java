// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

/// How a model version stands, by Triton's names.
public enum VersionState {
    /// It is being loaded and warmed up.
    LOADING,
    /// It answers requests.
    READY,
    /// It does not, and there is a reason.
    UNAVAILABLE,
    /// It takes no requests any more, and answers those that it has.
    UNLOADING
}
