// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.util.Objects;

/// How requests to a model may share a run.
///
/// @param kind what may be put together
/// @param reason why it is so, for logs and metadata
/// @param bitExact for [Kind#ROWS]: whether in the probe every row gave the same bits together as alone; some kernels
///     differ in the last bits between batch sizes
/// @param dependent for [Kind#NONE]: whether it has rows all the same, and they only affect each other
public record Batching(Kind kind, String reason, boolean bitExact, boolean dependent) {
    /// What may be put together.
    public enum Kind {
        /// Rows of any requests: every input and output has a leading batch dimension, and rows do not affect each
        /// other.
        ROWS,
        /// One row per run: the batch dimension is fixed to 1.
        ONE_ROW,
        /// Nothing: a run takes the tensors of one request as they are.
        NONE
    }

    /// Checks that nothing is null.
    public Batching {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(reason, "reason");
    }

    /// As most are: of rows that do not affect each other, or of none.
    public Batching(Kind kind, String reason, boolean bitExact) {
        this(kind, reason, bitExact, false);
    }

    static Batching none(String reason) {
        return new Batching(Kind.NONE, reason, true);
    }

    /// Whether every input and output has a leading batch dimension.
    public boolean hasRows() {
        return kind != Kind.NONE || dependent;
    }

    /// The same with rows in shared runs, if what rules them out is that they affect each other.
    public Batching evenIfDependent() {
        return dependent ? new Batching(Kind.ROWS, reason + ", which the configuration allows", false) : this;
    }
}
