// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import java.util.List;

/// One way to get answers out of a model, for batches of one size. All start from arrays on the heap and leave answers
/// that Java can read.
///
/// Threads: one. Ownership: whoever made it closes it.
public interface Contestant extends AutoCloseable {
    /// Answers batch `index` of the examples.
    void run(int index);

    /// Copies of the last answer's outputs, in the model's order. Not timed.
    List<Value> answers();

    /// Whether every run so far ran its batch in one piece. Rows that shared a run with others, or with fewer, may
    /// differ from the floor's in the last bits.
    default boolean ranWhole() {
        return true;
    }

    @Override
    void close();
}
