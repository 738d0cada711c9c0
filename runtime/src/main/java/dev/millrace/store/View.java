// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

/// Rows of one schema in a [FeatureStore], one for each entity. Threads: any.
public interface View {
    /// What its rows are.
    ViewSchema schema();

    /// Its number in its store, which batches have.
    int id();

    /// Makes a reader. Whoever asked closes it.
    ///
    /// @throws IllegalStateException if the store is closed
    ViewReader reader();

    /// Counts what is there, by a walk through all of it.
    ViewStatistics statistics();
}
