// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

/// One way to get answers out of a model, for batches of one size. All start from `float` arrays on the heap and leave
/// answers that Java can read.
///
/// Threads: one. Ownership: whoever made it closes it.
interface Contestant extends AutoCloseable {
    /// Answers batch `index` of the rows.
    void run(int index);

    /// Element `element` of the last answer, in row-major order.
    float answer(int element);

    /// Whether every run so far ran its batch in one piece. Rows that shared a run with others, or with fewer, may
    /// differ from the floor's in the last bits.
    default boolean ranWhole() {
        return true;
    }

    @Override
    void close();
}
