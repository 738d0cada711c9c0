// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.FeatureView;

/// Where stored values come from.
///
/// Threads: any may ask for readers; each reader is for one.
@FunctionalInterface
public interface FeatureSource {
    /// A source for plans whose views all come with the request.
    FeatureSource NONE = (view, _) -> {
        throw new IllegalArgumentException("view '" + view.name() + "' is stored, expected a source that has it");
    };

    /// A reader of one view.
    ///
    /// @param layout how the reader's rows have to lie
    /// @throws IllegalArgumentException if there is no such view, or its fields are others
    ViewReader open(FeatureView view, ViewLayout layout);
}
