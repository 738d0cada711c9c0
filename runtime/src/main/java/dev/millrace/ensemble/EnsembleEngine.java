// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ensemble;

import dev.millrace.backend.TensorEngine;
import dev.millrace.backend.TensorSet;
import dev.millrace.memory.Hot;
import java.util.List;

/// Answers requests by the steps of an ensemble. An instance is a request on its way, not a thread.
///
/// Threads: any. Ownership: its runs own calls to the steps' models, which it closes.
public final class EnsembleEngine implements TensorEngine {
    private final EnsembleHost host;
    private final EnsembleRun[] runs;

    /// @param models of the graph's steps
    /// @param instances requests that may be on their way at the same time
    public EnsembleEngine(EnsembleGraph graph, List<StepModel> models, EnsembleHost host, int instances) {
        this.host = host;
        this.runs = new EnsembleRun[instances];
        for (int i = 0; i < instances; i++) {
            runs[i] = new EnsembleRun(graph, models, host, i);
        }
    }

    @Override
    @Hot
    public boolean start(int instance, TensorSet tensors) {
        boolean entered = host.enter();
        runs[instance].start(tensors, host.deadlineNanos(instance), host.priority(instance));
        if (entered) {
            host.leave();
        }
        return false;
    }

    @Override
    public long running(int instance) {
        return runs[instance].running();
    }

    @Override
    public boolean terminate(int instance, long run) {
        return runs[instance].terminate(run);
    }

    @Override
    public void close() {
        for (EnsembleRun run : runs) {
            run.close();
        }
    }
}
