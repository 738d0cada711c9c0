// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

/// What an [EmbeddedStore] is made of.
///
/// @param sequence the number of the last batch
/// @param logBytes of the log that would be replayed
/// @param fileBytes of all files in the store's folder
/// @param checkpoints that were taken since it was opened
public record StoreStatistics(long sequence, long logBytes, long fileBytes, long checkpoints) {}
