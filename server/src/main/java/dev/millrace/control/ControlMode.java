// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

/// Who decides which models are served, by Triton's names.
public enum ControlMode {
    /// The models are those that were in the repositories when the server started.
    NONE,
    /// The models are those that are in the repositories, whenever they change.
    POLL,
    /// Models are loaded and unloaded when somebody with admin access asks for it.
    EXPLICIT
}
