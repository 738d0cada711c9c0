// SPDX-License-Identifier: Apache-2.0
package dev.millrace.yaml;

import java.util.List;

/// A value in a text, with where it begins: a mapping, a list or a scalar. Lines and columns count
/// from 1.
public sealed interface YamlNode {
    /// The line that it begins in.
    int line();

    /// The column that it begins at.
    int column();

    /// Names with values, in the order of the text; no name is there twice.
    record Mapping(List<Entry> entries, int line, int column) implements YamlNode {
        /// The names in the order of the text cannot change.
        public Mapping {
            entries = List.copyOf(entries);
        }
    }

    /// One name of a mapping with its value.
    ///
    /// @param line where the name is
    /// @param column where the name is
    record Entry(String name, YamlNode value, int line, int column) {}

    /// Values in their order.
    record Sequence(List<YamlNode> items, int line, int column) implements YamlNode {
        /// The items cannot change.
        public Sequence {
            items = List.copyOf(items);
        }
    }

    /// A text; whether it is a number or a word is for the reader to know.
    ///
    /// @param quoted whether it was in quotes, and so is a text whatever it looks like
    record Scalar(String text, boolean quoted, int line, int column) implements YamlNode {}
}
