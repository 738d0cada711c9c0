// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.yaml.YamlException;
import dev.millrace.yaml.YamlNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// What was found to be wrong with a specification. Threads: one.
final class Problems {
    private static final int MOST_TOLD = 100;

    /// A value with where it is.
    ///
    /// @param file the file's name
    /// @param path the names that lead to it, with points in between
    record Place(String file, String path, YamlNode node) {
        /// A value in this one.
        Place in(String name, YamlNode inner) {
            return new Place(file, path.isEmpty() ? name : path + "." + name, inner);
        }

        /// An item of this list.
        Place item(int index, YamlNode inner) {
            return new Place(file, path + "[" + index + "]", inner);
        }

        /// As problems begin: `FILE:LINE:COLUMN: path`.
        String shown() {
            return file + ":" + node.line() + ":" + node.column() + ": " + (path.isEmpty() ? "file" : path);
        }

        /// The same place by another name.
        Place as(String name) {
            return new Place(file, name, node);
        }
    }

    private record Problem(String file, int line, int column, String text) {
        String shown() {
            return file + ":" + line + ":" + column + ": " + text;
        }
    }

    private final List<Problem> found = new ArrayList<>();

    void add(Place place, String problem) {
        found.add(new Problem(
                place.file(),
                place.node().line(),
                place.node().column(),
                (place.path().isEmpty() ? "file" : place.path()) + ": " + problem));
    }

    void add(String file, YamlException e) {
        found.add(new Problem(file, e.line(), e.column(), "text: " + e.problem()));
    }

    int count() {
        return found.size();
    }

    /// Throws what was found, if anything was.
    void throwIfAny() {
        if (found.isEmpty()) {
            return;
        }
        List<String> told = new ArrayList<>(found.stream()
                .sorted(Comparator.comparing(
                                (Problem problem) -> !problem.file().equals(FeatureSpec.FILE_NAME))
                        .thenComparing(Problem::file)
                        .thenComparing(Problem::line)
                        .thenComparing(Problem::column))
                .map(Problem::shown)
                .distinct()
                .limit(MOST_TOLD)
                .toList());
        if (found.size() > MOST_TOLD) {
            told.add(FeatureSpec.FILE_NAME + ":1:1: file: has " + (found.size() - MOST_TOLD) + " more problems");
        }
        throw new FeatureSpecException(told);
    }
}
