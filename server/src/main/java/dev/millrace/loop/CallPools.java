// SPDX-License-Identifier: Apache-2.0
package dev.millrace.loop;

import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.runtime.Outcome;
import dev.millrace.trace.Tracing;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/// The calls of one event loop, by model and by what requests ask for of it: the version that is live, or a version or
/// alias by name.
///
/// When a version is replaced, what is kept for it is freed soon, and requests that are on their way then end with
/// what is kept for the one that answered.
///
/// Threads: one, the event loop's.
public final class CallPools {
    private final Millrace millrace;
    private final Tracing tracing;
    private final Map<String, Entry> entries = new HashMap<>();
    private final Runnable endListening;

    /// A model as the paths name it.
    private static final class Entry {
        private final ModelPool live;
        /// By what is asked for.
        private final Map<String, ModelPool> versions = new HashMap<>();

        Entry(ModelPool live) {
            this.live = live;
        }
    }

    /// Nothing is kept yet.
    ///
    /// @param executor the event loop
    /// @param tracing what traces requests
    public CallPools(Millrace millrace, Executor executor, Tracing tracing) {
        this.millrace = millrace;
        this.tracing = tracing;
        this.endListening = millrace.lifecycle().whenChanged(() -> later(executor));
    }

    private void later(Executor executor) {
        try {
            executor.execute(this::retire);
        } catch (RejectedExecutionException _) {
            // The loop has ended, and all of this with it.
        }
    }

    /// Frees what is kept for versions that are not served any more.
    void retire() {
        for (Entry entry : entries.values()) {
            entry.live.retire();
            entry.versions.values().forEach(ModelPool::retire);
        }
    }

    /// The calls of a model version.
    ///
    /// @param version the version or alias as a path gives it, or null for the one that is live
    /// @throws dev.millrace.runtime.InferenceException if there is no such model or version, or it is not served
    public ModelCalls find(String name, String version) {
        Entry entry = entries.get(name);
        if (entry == null) {
            entry = new Entry(new ModelPool(millrace.model(name), tracing));
            entries.put(name, entry);
        }
        if (version == null) {
            return entry.live.current();
        }
        ModelPool pool = entry.versions.get(version);
        if (pool == null) {
            pool = new ModelPool(millrace.model(name, version), tracing);
            entry.versions.put(version, pool);
        }
        return pool.current();
    }

    /// The calls of the only model that is served.
    ///
    /// @throws Refusal if there is not one
    public ModelCalls only() {
        List<String> models = millrace.status().stream()
                .filter(ModelStatus::ready)
                .map(ModelStatus::model)
                .distinct()
                .toList();
        if (models.size() != 1) {
            throw new Refusal(
                    Outcome.NOT_FOUND,
                    "this is for a server of one model, and " + models.size() + " are served; name one in the path");
        }
        return find(models.getFirst(), null);
    }

    /// The version that a path names.
    ///
    /// @throws Refusal if it is none
    public static long number(String model, String version) {
        boolean digits = !version.isEmpty() && version.length() <= 18;
        for (int i = 0; i < version.length() && digits; i++) {
            digits = version.charAt(i) >= '0' && version.charAt(i) <= '9';
        }
        if (!digits) {
            throw new Refusal(Outcome.NOT_FOUND, "model '" + model + "' has no version '" + version + "'");
        }
        return Long.parseLong(version);
    }

    /// Frees the calls that lie here.
    public void close() {
        endListening.run();
        for (Entry entry : entries.values()) {
            entry.live.close();
            entry.versions.values().forEach(ModelPool::close);
        }
    }
}
