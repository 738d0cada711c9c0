// SPDX-License-Identifier: Apache-2.0
package dev.millrace.backend;

import dev.millrace.memory.Hot;

/// What answers requests of whole tensors, each by itself.
public interface TensorEngine extends AutoCloseable {
    /// Starts the request of an instance, whose outputs it fills. Returns as [Backend#start(int, int, int)].
    @Hot
    boolean start(int instance, TensorSet tensors);

    /// As [Backend#running(int)].
    long running(int instance);

    /// As [Backend#terminate(int, long)].
    boolean terminate(int instance, long run);

    /// Frees everything. Nothing is being run.
    @Override
    void close();
}
