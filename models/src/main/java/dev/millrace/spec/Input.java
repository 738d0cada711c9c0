// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// Where a feature's value comes from.
///
/// @param view the view, for [Origin#VIEW]; null otherwise
/// @param name the field's or the feature's
public record Input(Origin origin, String view, String name, ValueKind kind) {
    /// What has the value.
    public enum Origin {
        /// A field of the request.
        REQUEST,
        /// The time of the request.
        REQUEST_TIME,
        /// A field of a view.
        VIEW,
        /// What the transforms of an earlier feature gave.
        FEATURE
    }

    /// As the file has it.
    public String word() {
        return switch (origin) {
            case REQUEST -> name;
            case REQUEST_TIME -> "request_time";
            case VIEW -> view + "." + name;
            case FEATURE -> "features." + name;
        };
    }
}
