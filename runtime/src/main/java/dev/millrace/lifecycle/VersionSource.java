// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import dev.millrace.model.ConfiguredModel;
import dev.millrace.model.ModelRepository;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/// What a version is loaded from.
///
/// @param model its model, as configured
/// @param version the one of its versions
/// @param stamp what could be seen of its files and its model's before it was loaded
/// @param override the configuration that came with the load, or null
public record VersionSource(
        ConfiguredModel model, ModelRepository.Version version, FolderStamp stamp, String override) {
    /// Every version of a model that is to be served.
    public static List<VersionSource> of(ConfiguredModel model, FolderStamp stamp, String override) {
        return model.versions().stream()
                .map(version -> new VersionSource(
                        model, version, stamp.of(version.folder().getFileName().toString()), override))
                .toList();
    }

    /// The version's number.
    public long number() {
        return version.number();
    }

    /// Whether what it replaces is to be kept warm.
    public boolean keepsPrevious() {
        return model.config().keepPrevious().orElse(0) > 0;
    }

    /// Whether a load would give what `other` gave.
    public boolean isSame(VersionSource other) {
        return version.equals(other.version)
                && stamp.equals(other.stamp)
                && Optional.ofNullable(override).equals(Optional.ofNullable(other.override))
                && model.config().equals(other.model.config());
    }

    /// Whether the files are still those that were loaded.
    public boolean isUnchanged() {
        try {
            return FolderStamp.of(version.folder().getParent())
                    .of(version.folder().getFileName().toString())
                    .equals(stamp);
        } catch (UncheckedIOException _) {
            return false;
        }
    }
}
