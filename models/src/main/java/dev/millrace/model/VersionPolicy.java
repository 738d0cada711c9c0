// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import java.util.List;
import java.util.TreeSet;

/// Which of a model's versions are served. Immutable.
///
/// @param kind the rule
/// @param latest for [Kind#LATEST]: how many of the highest
/// @param versions for [Kind#SPECIFIC]: which, ascending
public record VersionPolicy(Kind kind, int latest, List<Long> versions) {
    /// The rules, as Triton calls them.
    public enum Kind {
        /// The highest ones.
        LATEST,
        /// Every one.
        ALL,
        /// Those that are named.
        SPECIFIC
    }

    /// The highest one alone.
    public static final VersionPolicy DEFAULT = latest(1);

    /// Checks that the rule has what it needs.
    ///
    /// @throws IllegalArgumentException naming the field, what came and what was expected
    public VersionPolicy {
        versions = List.copyOf(new TreeSet<>(versions));
        if (kind == Kind.LATEST && latest < 1) {
            throw new IllegalArgumentException(
                    "version_policy.latest.num_versions is " + latest + ", expected at least 1");
        }
        if (kind == Kind.SPECIFIC && (versions.isEmpty() || versions.getFirst() < 1)) {
            throw new IllegalArgumentException(
                    "version_policy.specific.versions is " + versions + ", expected numbers from 1 on");
        }
    }

    /// The `count` highest versions.
    public static VersionPolicy latest(int count) {
        return new VersionPolicy(Kind.LATEST, count, List.of());
    }

    /// Every version.
    public static VersionPolicy all() {
        return new VersionPolicy(Kind.ALL, 0, List.of());
    }

    /// These versions.
    public static VersionPolicy specific(Long... versions) {
        return new VersionPolicy(Kind.SPECIFIC, 0, List.of(versions));
    }

    /// Those of the versions found that are to be served.
    ///
    /// @param found ascending
    List<ModelRepository.Version> choose(List<ModelRepository.Version> found) {
        return switch (kind) {
            case LATEST -> found.subList(Math.max(0, found.size() - latest), found.size());
            case ALL -> found;
            case SPECIFIC ->
                found.stream()
                        .filter(version -> versions.contains(version.number()))
                        .toList();
        };
    }

    /// The versions that are named and were not found.
    List<Long> missing(List<ModelRepository.Version> found) {
        return versions.stream()
                .filter(wanted -> found.stream().noneMatch(version -> version.number() == wanted))
                .toList();
    }
}
