// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.util.List;

/// The categories of a feature in the order of their indices: texts or whole numbers, one of which
/// is null.
public record Vocabulary(List<String> texts, List<Long> integers) {
    /// The categories cannot change.
    public Vocabulary {
        texts = texts == null ? null : List.copyOf(texts);
        integers = integers == null ? null : List.copyOf(integers);
    }

    /// How many categories there are.
    public int size() {
        return texts != null ? texts.size() : integers.size();
    }

    /// A category as a text.
    public String name(int index) {
        return texts != null ? texts.get(index) : integers.get(index).toString();
    }
}
