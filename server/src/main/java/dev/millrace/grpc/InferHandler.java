// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.limit.Client;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.protocol.Refusal;
import dev.millrace.protocol.WireOutputWriter;
import dev.millrace.runtime.InferenceException;
import dev.millrace.trace.FrontEnd;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.io.InputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What gRPC tells of one call for inference, a single one or a stream. Threads: its event loop's.
abstract class InferHandler extends ServerCall.Listener<InputStream> {
    private static final Logger LOG = LoggerFactory.getLogger(InferHandler.class);
    private final GrpcLoop loop;
    private final ServerCall<InputStream, Infer> call;
    private final Client client;
    private final Deadline deadline;
    private boolean closed;

    InferHandler(GrpcLoop loop, ServerCall<InputStream, Infer> call, Metadata headers) {
        this.loop = loop;
        this.call = call;
        this.client = loop.client(call, headers);
        this.deadline = Context.current().getDeadline();
    }

    final GrpcLoop loop() {
        return loop;
    }

    final ServerCall<InputStream, Infer> call() {
        return call;
    }

    /// Whose rows it counts among; null if nobody counts.
    final Client client() {
        return client;
    }

    /// When its answer is of no use any more; null if always.
    final Deadline deadline() {
        return deadline;
    }

    /// One of its requests has ended.
    @Hot
    abstract void ended(Infer infer);

    /// Nobody waits for the answer any more.
    abstract void drop();

    /// Sends the answer to a request that ended well; otherwise says why not.
    ///
    /// @param streamed whether the answer is one of a stream's
    /// @return what came of it: the request's status, unless it could not be sent
    final Status send(Infer infer, boolean streamed) {
        Status status = infer.status();
        WireOutputWriter answer = loop.answers().writer();
        if (status.isOk()) {
            try {
                infer.call().encoding();
                answer.answer(infer.call(), infer.calls().writer(), infer.id(), infer.outputs(), streamed);
            } catch (Refusal e) {
                status = GrpcStatus.of(e).withDescription(e.getMessage());
            } catch (MemoryExceededException e) {
                InferenceException refusal = InferenceException.of(e, 0);
                status = GrpcStatus.of(refusal.outcome()).withDescription(refusal.getMessage());
            }
        }
        if (status.isOk()) {
            status = sendMessage(infer);
        }
        answer.clear();
        return status;
    }

    private Status sendMessage(Infer infer) {
        try {
            call.sendMessage(infer);
        } catch (OutOfMemoryError e) {
            // Some of it may be out: gRPC has ended the call before it threw this.
            LOG.warn("there is no memory for an answer by gRPC: its call is ended", e);
            closed = true;
            return Status.RESOURCE_EXHAUSTED.withDescription("there is no memory for the answer now");
        }
        infer.encoded(FrontEnd.GRPC, infer.id());
        return Status.OK;
    }

    /// Ends the call.
    final void close(Status status, Metadata trailers) {
        if (!closed) {
            closed = true;
            call.close(status, trailers);
        }
    }

    final boolean isClosed() {
        return closed;
    }

    @Override
    public final void onComplete() {
        closed = true;
        drop();
    }

    @Override
    public final void onCancel() {
        closed = true;
        drop();
    }
}
