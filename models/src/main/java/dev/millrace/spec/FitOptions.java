// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// How what a transform has to know is learned from data: `fit` in a specification, where it stays
/// as a note once that is done.
///
/// @param strategy what `impute` puts in place of missing values
/// @param bins how many intervals `bucketize` has; 0 if nothing is said
/// @param order how categories are ordered
/// @param maxSize how many categories there may be, the most frequent ones
/// @param minCount how often a category has to come
public record FitOptions(Strategy strategy, int bins, Order order, int maxSize, long minCount) {
    /// What stands in for missing values.
    public enum Strategy {
        /// The mean of the others.
        MEAN,
        /// Their median.
        MEDIAN,
        /// The most frequent one, of several the least.
        MODE
    }

    /// The order of categories.
    public enum Order {
        /// Whole numbers as such, texts by their bytes in UTF-8.
        VALUE,
        /// The most frequent ones first, those of one frequency by value.
        FREQUENCY
    }
}
