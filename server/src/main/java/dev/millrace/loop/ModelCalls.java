// SPDX-License-Identifier: Apache-2.0
package dev.millrace.loop;

import dev.millrace.memory.Hot;
import dev.millrace.model.Signature;
import dev.millrace.protocol.OutputWriter;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Model;
import dev.millrace.trace.Sampling;
import dev.millrace.trace.Tracing;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;

/// What one event loop keeps for one loaded instance of a model version: calls to use again, and what writes its
/// answers.
///
/// Threads: one, the event loop's. Ownership: it owns the calls that lie here; those taken are their submission's until
/// they are given back.
public final class ModelCalls {
    private static final int MAX_CALLS = 256;
    /// Memory of calls that wait for use; what large requests left behind is freed beyond this.
    private static final long MAX_BYTES = 16L << 20;

    private final ModelPool pool;
    private final Model model;
    private final Tracing tracing;
    private final long instance;
    private final long version;
    private final ArrayDeque<Call> free = new ArrayDeque<>();
    private final byte[][] inputNames;
    private final OutputWriter writer;
    private final boolean rowsOpen;
    private long freeBytes;
    private boolean closed;

    /// @param pool what it belongs to
    /// @param model a handle that is bound to the instance
    /// @param tracing what traces requests
    ModelCalls(ModelPool pool, Model model, Tracing tracing) {
        this.pool = pool;
        this.model = model;
        this.tracing = tracing;
        this.instance = model.instance();
        this.version = model.version();
        Signature signature = model.signature();
        this.inputNames = signature.inputs().stream()
                .map(input -> input.name().getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new);
        this.rowsOpen = !signature.inputs().isEmpty()
                && !signature.inputs().getFirst().shape().isEmpty()
                && signature.inputs().getFirst().shape().getFirst() < 0;
        this.writer = new OutputWriter(
                model.name(),
                version,
                signature,
                signature.outputs().stream()
                        .map(output -> model.labels(output.name()))
                        .toList());
    }

    /// The number of the loaded instance.
    @Hot
    long instance() {
        return instance;
    }

    /// What a call belongs to that was taken here and answered by another instance.
    ModelCalls of(Call moved) {
        return pool.of(moved);
    }

    /// The version of the model.
    @Hot
    public long version() {
        return version;
    }

    /// The names of the model's inputs in UTF-8.
    @Hot
    public byte[][] inputNames() {
        return inputNames;
    }

    /// Writes its answers.
    @Hot
    public OutputWriter writer() {
        return writer;
    }

    /// The rows of a request: the first dimension of its first input, where the model leaves that open; otherwise 1.
    public long rows(Call filled) {
        if (filled.raw() != null) {
            return Math.max(1, filled.raw().rowCount());
        }
        return rowsOpen ? Math.max(1, filled.input(0).dim(0)) : 1;
    }

    /// What the request that comes now is traced by; null if it is not.
    Sampling draw() {
        return tracing.draw(model.name());
    }

    /// A call that is not in flight; whoever takes it gives it back.
    public Call take() {
        Call call = free.pollLast();
        if (call == null) {
            return model.call();
        }
        freeBytes -= call.heldBytes();
        if (call.raw() != null) {
            call.raw().reporting(false);
        }
        return call;
    }

    /// Takes back a call that is not in flight.
    public void giveBack(Call call) {
        long bytes = call.heldBytes();
        if (!closed
                && call.instance() == instance
                && free.size() < MAX_CALLS
                && freeBytes + bytes <= MAX_BYTES
                && !call.isTight()) {
            freeBytes += bytes;
            free.addLast(call);
        } else {
            call.close();
        }
    }

    /// Frees the calls that lie here, and those that come back.
    void close() {
        closed = true;
        for (Call call = free.pollLast(); call != null; call = free.pollLast()) {
            call.close();
        }
        freeBytes = 0;
    }
}
