// SPDX-License-Identifier: Apache-2.0
/// Features of entities that are kept where models are: written in batches, read in about half
/// a microsecond.
///
///     write(batch) ─► WriteAheadLog ─► force ─► Table ◄── ViewReader.find(key) ─► the reader's own row
///                          │                      │
///                          └──── replayed ◄── Snapshot (a file per view, mapped when the store is opened)
///
/// A [FeatureStore] has views, a [View] has a [ViewSchema]: a key, and fields of fixed width.
/// [EmbeddedStore] is the one that lives in this process. It knows nothing of models and requests.
package dev.millrace.store;
