// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.limit.Client;
import dev.millrace.limit.Clients;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.loop.CallPools;
import dev.millrace.loop.ModelCalls;
import dev.millrace.loop.WakeUp;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.protocol.Refusal;
import dev.millrace.protocol.WireInferDecoder;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Outcome;
import io.grpc.Deadline;
import io.grpc.Grpc;
import io.grpc.HasByteBuffer;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What one event loop works with for gRPC. Threads: the event loop's.
final class GrpcLoop {
    private static final Logger LOG = LoggerFactory.getLogger(GrpcLoop.class);

    private final WakeUp wakeUp;
    private final CallPools pools;
    private final GrpcServer.Shared shared;
    private final CallWatch watch;
    private final WireInferDecoder decoder;
    private final AnswerStream answers = new AnswerStream();
    private final Metadata.Key<String> clientKey;

    /// @param wakeUp of the event loop
    /// @param pools of the event loop
    /// @param shared what all loops share
    /// @param watch looks at its calls
    GrpcLoop(WakeUp wakeUp, CallPools pools, GrpcServer.Shared shared, CallWatch watch) {
        this.wakeUp = wakeUp;
        this.pools = pools;
        this.shared = shared;
        this.watch = watch;
        this.decoder = new WireInferDecoder(shared.limits());
        this.clientKey = shared.clientKey().isEmpty()
                ? null
                : Metadata.Key.of(shared.clientKey(), Metadata.ASCII_STRING_MARSHALLER);
    }

    WakeUp wakeUp() {
        return wakeUp;
    }

    /// What looks at its calls.
    CallWatch watch() {
        return watch;
    }

    Limits limits() {
        return shared.limits();
    }

    /// What answers are written with, one at a time.
    AnswerStream answers() {
        return answers;
    }

    /// Whose request this is; null if clients' rows are not limited.
    Client client(ServerCall<?, ?> call, Metadata headers) {
        if (shared.clients() == null) {
            return null;
        }
        String name = clientKey == null ? null : headers.get(clientKey);
        return name == null ? shared.clients().at(peer(call)) : shared.clients().named(name);
    }

    private static InetAddress peer(ServerCall<?, ?> call) {
        return call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InetSocketAddress address
                ? address.getAddress()
                : InetAddress.getLoopbackAddress();
    }

    /// Reads a request. It can be submitted, or is refused.
    Infer read(InferHandler handler, InputStream message) {
        Infer infer = null;
        try {
            decoder.begin();
            addBytes(message);
            decoder.open();
            infer = new Infer(handler, decoder.length());
            fill(infer);
        } catch (MemoryExceededException e) {
            InferenceException refusal = InferenceException.of(e, held(infer));
            infer = refused(
                    handler,
                    infer,
                    refusal.outcome(),
                    GrpcStatus.of(refusal.outcome()).withDescription(refusal.getMessage()));
        } catch (Refusal e) {
            if (e.limit() != null) {
                shared.limited().accept(e.limit());
            }
            infer = refused(handler, infer, e.outcome(), GrpcStatus.of(e).withDescription(e.getMessage()));
        } catch (InferenceException e) {
            infer = refused(
                    handler, infer, e.outcome(), GrpcStatus.of(e.outcome()).withDescription(e.getMessage()));
        } catch (StatusRuntimeException e) {
            // What was compressed is larger than allowed, or was not what it was said to be.
            if (e.getStatus().getCode() == Status.Code.RESOURCE_EXHAUSTED) {
                shared.limited().accept(Limit.MAX_BODY_BYTES);
            }
            infer = infer == null ? new Infer(handler, 0) : infer;
            infer.refuse(e.getStatus(), 0);
        } catch (IOException | RuntimeException e) {
            infer = infer == null ? new Infer(handler, 0) : infer;
            infer.refuse(bug(e), 0);
        } finally {
            decoder.end();
        }
        infer.id(decoder.id());
        return infer;
    }

    /// Gives the decoder a message's bytes where they lie, if that can be had.
    private void addBytes(InputStream message) throws IOException {
        if (message instanceof HasByteBuffer buffers && buffers.byteBufferSupported() && message.markSupported()) {
            // What is skipped after a mark stays until the message is closed.
            message.mark(0);
            for (ByteBuffer next = buffers.getByteBuffer();
                    next != null && next.hasRemaining();
                    next = buffers.getByteBuffer()) {
                int bytes = next.remaining();
                decoder.add(MemorySegment.ofBuffer(next));
                if (message.skip(bytes) != bytes) {
                    throw new IOException("a message of gRPC is shorter than its buffers");
                }
            }
        }
        if (message.available() > 0) {
            decoder.add(MemorySegment.ofArray(message.readAllBytes()));
        }
    }

    private static long held(Infer infer) {
        return infer == null || infer.call() == null ? 0 : infer.call().heldBytes();
    }

    private static Infer refused(InferHandler handler, Infer infer, Outcome outcome, Status status) {
        Infer request = infer == null ? new Infer(handler, 0) : infer;
        if (request.call() != null) {
            request.call().refuse(outcome);
        }
        request.refuse(status, 0);
        return request;
    }

    private void fill(Infer infer) {
        ModelCalls calls = pools.find(decoder.modelName(), decoder.modelVersion());
        Client client = infer.handler().client();
        if (client != null && shared.clients().untilRow(client) > 0) {
            // To read its tensors would be in vain.
            tooManyRows(infer, 1, shared.clients().untilRow(client));
            return;
        }
        Call call = calls.take();
        infer.carriedBy(calls, call);
        infer.begin(false);
        decoder.decode(call, calls.inputNames());
        infer.wants(decoder.outputs(call));
        call.decoded();
        call.timeoutNanos(timeoutNanos(infer.handler().deadline()));
        call.priority(decoder.priority());
        if (client != null) {
            takeRows(infer, client, calls.rows(call));
        }
    }

    /// The shorter of what the request and what its call gives it.
    private long timeoutNanos(Deadline deadline) {
        long asked =
                decoder.timeoutMicros() == 0 ? Call.NO_TIMEOUT : TimeUnit.MICROSECONDS.toNanos(decoder.timeoutMicros());
        return deadline == null ? asked : Math.min(asked, deadline.timeRemaining(TimeUnit.NANOSECONDS));
    }

    /// Takes a request's rows from what its client has left, or refuses it.
    private void takeRows(Infer infer, Client client, long rows) {
        if (rows > limits().get(Limit.CLIENT_BURST)) {
            shared.limited().accept(Limit.CLIENT_BURST);
            infer.refuse(
                    GrpcStatus.of(Outcome.TOO_LARGE)
                            .withDescription(limits().over(Limit.CLIENT_BURST, "a request of " + rows + " rows")),
                    0);
            return;
        }
        long wait = shared.clients().take(client, rows);
        if (wait > 0) {
            tooManyRows(infer, rows, wait);
        }
    }

    private void tooManyRows(Infer infer, long rows, long waitNanos) {
        shared.limited().accept(Limit.CLIENT_LIMIT);
        infer.refuse(
                GrpcStatus.of(Outcome.OVERLOADED).withDescription(Clients.tooManyRows(limits(), rows, waitNanos)),
                waitNanos);
    }

    /// What is said where something went wrong that must not: the log has the error under the id in the message.
    static Status bug(Throwable error) {
        String id = Long.toHexString(ThreadLocalRandom.current().nextLong());
        LOG.error("a request failed, error id {}", id, error);
        return GrpcStatus.of(Outcome.FAILED).withDescription("the server failed on this request (error id " + id + ")");
    }
}
