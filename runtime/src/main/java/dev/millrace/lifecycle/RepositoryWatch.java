// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// What is to follow from looks at the repositories: a model's folder that is not as it was when it was loaded, and is
/// the same at two looks, is loaded, or unloaded if it is gone. One that changes between two looks is perhaps being
/// written.
///
/// Threads: any; whoever asks has the answer to himself.
public final class RepositoryWatch {
    /// What to do about a model.
    public enum Step {
        /// It is new, or has changed.
        LOAD,
        /// It is gone.
        UNLOAD
    }

    private final Map<String, FolderStamp> loaded = new HashMap<>();
    private Map<String, FolderStamp> seen = Map.of();

    /// A model was loaded from its folder, or could not be, when that was like this.
    public synchronized void loaded(String model, FolderStamp stamp) {
        loaded.put(model, stamp);
    }

    /// Says what is to be done, by model, and takes it for done.
    ///
    /// @param now the folders of all models
    public synchronized Map<String, Step> look(Map<String, FolderStamp> now) {
        TreeSet<String> names = new TreeSet<>(now.keySet());
        names.addAll(loaded.keySet());
        Map<String, Step> steps = new TreeMap<>();
        for (String name : names) {
            FolderStamp stamp = now.getOrDefault(name, FolderStamp.NONE);
            boolean settled = stamp.equals(seen.getOrDefault(name, FolderStamp.NONE));
            boolean there = now.containsKey(name);
            if (!settled || stamp.equals(loaded.getOrDefault(name, FolderStamp.NONE))) {
                continue;
            }
            steps.put(name, there ? Step.LOAD : Step.UNLOAD);
            if (there) {
                loaded.put(name, stamp);
            } else {
                loaded.remove(name);
            }
        }
        seen = Map.copyOf(now);
        return steps;
    }
}
