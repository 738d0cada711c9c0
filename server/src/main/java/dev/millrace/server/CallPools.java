// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Outcome;
import java.util.HashMap;
import java.util.Map;

/// The calls of one event loop, by model and version. Threads: one, the event loop's.
final class CallPools {
    private final Millrace millrace;
    private final Map<String, Entry> entries = new HashMap<>();

    /// A model by its name, with what is kept for each version of it that was asked for.
    private static final class Entry {
        private final Model model;
        private final Map<Long, ModelCalls> versions = new HashMap<>();
        /// Of the version that was asked for last.
        private ModelCalls last;

        Entry(Model model) {
            this.model = model;
        }
    }

    CallPools(Millrace millrace) {
        this.millrace = millrace;
    }

    /// The calls of a model version.
    ///
    /// @param version the version as a path gives it, or null for the one that is live
    /// @throws dev.millrace.runtime.InferenceException if there is no such model or version, or it is not served
    /// @throws Refusal if `version` is no number
    ModelCalls find(String name, String version) {
        Entry entry = entries.get(name);
        if (entry == null) {
            entry = new Entry(millrace.model(name));
            entries.put(name, entry);
        }
        long number = version == null ? entry.model.version() : number(name, version);
        if (entry.last == null || entry.last.version() != number) {
            entry.last = entry.versions.computeIfAbsent(number, wanted -> new ModelCalls(millrace.model(name, wanted)));
        }
        return entry.last;
    }

    /// The version that a path names.
    ///
    /// @throws Refusal if it is none
    static long number(String model, String version) {
        boolean digits = !version.isEmpty() && version.length() <= 18;
        for (int i = 0; i < version.length() && digits; i++) {
            digits = version.charAt(i) >= '0' && version.charAt(i) <= '9';
        }
        if (!digits) {
            throw new Refusal(Outcome.NOT_FOUND, "model '" + model + "' has no version '" + version + "'");
        }
        return Long.parseLong(version);
    }

    void close() {
        for (Entry entry : entries.values()) {
            entry.versions.values().forEach(ModelCalls::close);
        }
    }
}
