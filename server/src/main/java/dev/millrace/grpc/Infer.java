// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.loop.Submission;
import dev.millrace.memory.Hot;
import dev.millrace.protocol.RequestedOutputs;
import dev.millrace.runtime.Outcome;
import io.grpc.Metadata;
import io.grpc.Status;

/// One inference request that came by gRPC, and what is said to it. Threads: its event loop's.
final class Infer extends Submission {
    private final InferHandler handler;
    private final int bytes;
    private String id;
    private RequestedOutputs outputs = RequestedOutputs.ALL;
    private Status refusal;
    private long retryAfterNanos;
    private boolean answerable;

    /// @param bytes its size
    Infer(InferHandler handler, int bytes) {
        super(handler.loop().wakeUp());
        this.handler = handler;
        this.bytes = bytes;
    }

    /// What gRPC is told of its answer.
    InferHandler handler() {
        return handler;
    }

    int bytes() {
        return bytes;
    }

    /// What it asks for besides its tensors.
    void wants(RequestedOutputs wanted) {
        outputs = wanted;
    }

    void id(String given) {
        id = given;
    }

    /// Its id, or null.
    @Hot
    String id() {
        return id;
    }

    @Hot
    RequestedOutputs outputs() {
        return outputs;
    }

    /// It is not run.
    void refuse(Status why, long retryNanos) {
        release();
        refusal = why;
        retryAfterNanos = retryNanos;
        answerable = true;
    }

    @Override
    @Hot
    protected void finish() {
        answerable = true;
        handler.ended(this);
    }

    /// Whether it has ended.
    boolean isAnswerable() {
        return answerable;
    }

    /// Whether it was not even submitted.
    boolean isRefused() {
        return refusal != null;
    }

    /// How it ended, for its client.
    Status status() {
        if (refusal != null) {
            return refusal;
        }
        return outcome() == Outcome.OK ? Status.OK : GrpcStatus.of(outcome()).withDescription(call().message());
    }

    /// What is told besides.
    Metadata trailers() {
        boolean overloaded = refusal == null && (outcome() == Outcome.OVERLOADED || outcome() == Outcome.UNAVAILABLE);
        return GrpcStatus.retryAfter(overloaded ? call().retryAfterNanos() : retryAfterNanos);
    }
}
