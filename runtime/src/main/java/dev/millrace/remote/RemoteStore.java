// SPDX-License-Identifier: Apache-2.0
package dev.millrace.remote;

import dev.millrace.spec.FeatureView;
import java.util.List;
import java.util.concurrent.CompletionStage;

/// A store of features that is far away, so that asking it takes longer than a request may keep a thread: what a
/// request needs is fetched first.
///
/// Threads: any may fetch. Nothing queues here without bound: what cannot be asked for now is [FetchedRow#UNAVAILABLE].
public interface RemoteStore {
    /// Whether it can have rows of a view.
    ///
    /// @throws IllegalArgumentException if not; the message says why
    void require(FeatureView view);

    /// Fetches what views know of entities.
    ///
    /// @param wanted what is asked for; no view is there twice
    /// @param timeoutNanos when to give up at the latest
    /// @return completes in time and normally, on any thread: a result for each that is asked
    ///     for, in that order. Rows that could not be had are [FetchedRow#UNAVAILABLE] there, or as
    ///     old as the view's policy allows
    CompletionStage<List<FetchedView>> fetch(List<WantedView> wanted, long timeoutNanos);

    /// Fetches as [#fetch(List, long)], and waits for it. The calling thread may be one on which the store reads what
    /// comes for others; it does nothing else until this has ended.
    default List<FetchedView> fetchNow(List<WantedView> wanted, long timeoutNanos) {
        return fetch(wanted, timeoutNanos).toCompletableFuture().join();
    }
}
