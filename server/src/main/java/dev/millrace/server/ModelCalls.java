// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.memory.Hot;
import dev.millrace.model.Signature;
import dev.millrace.protocol.OutputWriter;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Model;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;

/// What one event loop keeps for one model version: calls to use again, and what writes its answers.
///
/// Threads: one, the event loop's. Ownership: it owns the calls that lie here; those taken are their exchange's until
/// they are given back.
final class ModelCalls {
    private static final int MAX_CALLS = 256;
    /// Memory of calls that wait for use; what large requests left behind is freed beyond this.
    private static final long MAX_BYTES = 16L << 20;

    private final Model model;
    private final Signature signature;
    private final long version;
    private final ArrayDeque<Call> free = new ArrayDeque<>();
    private final byte[][] inputNames;
    private final OutputWriter writer;
    private final boolean rowsOpen;
    private long freeBytes;

    /// @param model a handle that is bound to the version
    ModelCalls(Model model) {
        this.model = model;
        this.signature = model.signature();
        this.version = model.version();
        this.inputNames = signature.inputs().stream()
                .map(input -> input.name().getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new);
        this.rowsOpen = !signature.inputs().isEmpty()
                && !signature.inputs().getFirst().shape().isEmpty()
                && signature.inputs().getFirst().shape().getFirst() < 0;
        this.writer = new OutputWriter(model.name(), version, signature);
    }

    /// The version of the model.
    @Hot
    long version() {
        return version;
    }

    /// The names of the model's inputs in UTF-8.
    @Hot
    byte[][] inputNames() {
        return inputNames;
    }

    /// Writes its answers.
    @Hot
    OutputWriter writer() {
        return writer;
    }

    /// The rows of a request: the first dimension of its first input, where the model leaves that open; otherwise 1.
    long rows(Call filled) {
        return rowsOpen ? Math.max(1, filled.input(0).dim(0)) : 1;
    }

    Call take() {
        Call call = free.pollLast();
        if (call == null) {
            return model.call();
        }
        freeBytes -= call.heldBytes();
        return call;
    }

    /// Takes back a call that is not in flight.
    void giveBack(Call call) {
        long bytes = call.heldBytes();
        if (free.size() < MAX_CALLS && freeBytes + bytes <= MAX_BYTES && !call.isTight()) {
            freeBytes += bytes;
            free.addLast(call);
        } else {
            call.close();
        }
    }

    void close() {
        for (Call call = free.pollLast(); call != null; call = free.pollLast()) {
            call.close();
        }
        freeBytes = 0;
    }
}
