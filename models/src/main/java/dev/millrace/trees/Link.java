// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

/// What an objective makes of the sums of its trees.
enum Link {
    /// Nothing: regression, ranking.
    NONE,
    /// `exp`: counts and amounts.
    EXP,
    /// The square, with the sign kept: regression of square roots.
    SQUARE,
    /// The logistic function, as a number and not as a class.
    LOGISTIC,
    /// Two classes, by the logistic function of one sum.
    BINARY,
    /// As many classes as sums, by softmax.
    SOFTMAX,
    /// As many classes as sums, each by the logistic function.
    ONE_VS_ALL
}
