// SPDX-License-Identifier: Apache-2.0
package dev.millrace.settings;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One part of the configuration file: values by names that are known to be allowed. Threads:
/// immutable, any.
///
/// @param place where the part is
/// @param values those that are there
/// @param names all that may be there
public record Settings(Setting place, Map<String, Setting> values, List<String> names) {
    /// A value that may be there.
    public Optional<Setting> find(String name) {
        if (!names.contains(name)) {
            throw new IllegalStateException(name + " is none of " + names);
        }
        return Optional.ofNullable(values.get(name));
    }

    /// A value that has to be there.
    public Setting need(String name) {
        return find(name).orElseThrow(() -> place.problem("came without '" + name + "', expected it"));
    }
}
