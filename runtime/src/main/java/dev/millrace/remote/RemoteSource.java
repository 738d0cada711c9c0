// SPDX-License-Identifier: Apache-2.0
package dev.millrace.remote;

import dev.millrace.features.FeatureSource;
import dev.millrace.features.StoreSource;
import dev.millrace.features.ViewLayout;
import dev.millrace.features.ViewReader;
import dev.millrace.spec.FeatureView;
import dev.millrace.store.FeatureStore;

/// Stored values of which some are far away: views that a store at hand has are read there, all others are fetched.
///
/// Threads: any. Ownership: both stores stay their owners'.
///
/// @param local the store at hand; null if there is none
/// @param remote the one that is far away
public record RemoteSource(FeatureStore local, RemoteStore remote) implements FeatureSource {
    /// A [FetchedReader] if the view is far away.
    @Override
    public ViewReader open(FeatureView view, ViewLayout layout) {
        if (isLocal(view)) {
            return new StoreSource(local).open(view, layout);
        }
        remote.require(view);
        return new FetchedReader();
    }

    private boolean isLocal(FeatureView view) {
        return local != null
                && local.views().stream().anyMatch(each -> each.schema().name().equals(view.name()));
    }
}
