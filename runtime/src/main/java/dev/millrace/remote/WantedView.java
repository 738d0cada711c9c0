// SPDX-License-Identifier: Apache-2.0
package dev.millrace.remote;

import dev.millrace.features.ViewLayout;
import dev.millrace.spec.FeatureView;
import java.util.Set;

/// Rows that a request needs.
///
/// @param layout how they have to lie
/// @param keys of the entities: [Long], or [String] if the view's entity has texts
public record WantedView(FeatureView view, ViewLayout layout, Set<Object> keys) {}
