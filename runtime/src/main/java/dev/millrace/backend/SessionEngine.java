// SPDX-License-Identifier: Apache-2.0
package dev.millrace.backend;

import dev.millrace.memory.Hot;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.TensorRunner;

/// Requests of whole tensors run by a session. Threads: one at a time per instance.
final class SessionEngine implements TensorEngine {
    private final TensorRunner[] runners;

    SessionEngine(OnnxSession session, int instances) {
        runners = new TensorRunner[instances];
        for (int i = 0; i < instances; i++) {
            runners[i] = session.tensorRunner();
        }
    }

    @Override
    @Hot
    public boolean start(int instance, TensorSet tensors) {
        runners[instance].run(tensors.inputs(), tensors.outputs());
        return true;
    }

    @Override
    public long running(int instance) {
        return runners[instance].running();
    }

    @Override
    public boolean terminate(int instance, long run) {
        return runners[instance].terminate(run);
    }

    @Override
    public void close() {
        for (TensorRunner runner : runners) {
            runner.close();
        }
    }
}
