// SPDX-License-Identifier: Apache-2.0
package dev.millrace.loop;

import dev.millrace.runtime.Call;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Model;
import dev.millrace.trace.Tracing;

/// What one event loop keeps for a model as requests name it: the calls of the instance that answers now. They are
/// freed when another one does.
///
/// Threads: one, the event loop's.
final class ModelPool {
    private static final long NONE = -1;

    private final Model model;
    private final Tracing tracing;
    private ModelCalls current;

    /// @param tracing what traces requests
    ModelPool(Model model, Tracing tracing) {
        this.model = model;
        this.tracing = tracing;
    }

    /// The calls of the instance that answers now.
    ///
    /// @throws InferenceException if none does
    ModelCalls current() {
        if (current == null || current.instance() != model.instance()) {
            ModelCalls calls = new ModelCalls(this, model.bound(), tracing);
            close();
            current = calls;
        }
        return current;
    }

    /// The calls of the instance that answered a call which has moved there.
    ModelCalls of(Call moved) {
        if (current == null || current.instance() != moved.instance()) {
            ModelCalls calls = new ModelCalls(this, moved.bound(), tracing);
            if (moved.instance() != live()) {
                // There is another one by now: the call is not used again.
                calls.close();
                return calls;
            }
            close();
            current = calls;
        }
        return current;
    }

    private long live() {
        try {
            return model.instance();
        } catch (InferenceException _) {
            return NONE;
        }
    }

    /// Frees the calls of an instance that does not answer any more.
    void retire() {
        if (current != null && current.instance() != live()) {
            close();
        }
    }

    /// Frees the calls that lie here.
    void close() {
        if (current != null) {
            current.close();
            current = null;
        }
    }
}
