// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.limit.Patience;
import dev.millrace.runtime.Outcome;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;

/// Sees what gRPC itself does with one call: counts how it ends, and what of a message has come while it is on its way.
/// A message that is too large, what comes beyond that all messages on their way may take, and a client that takes too
/// long end the call.
///
/// Threads: the call's event loop's.
final class CallTracer extends ServerStreamTracer {
    /// A message that comes in one frame of HTTP/2 never waits for its rest.
    private static final long FRAME_BYTES = 1 << 14;

    private static final Context.Key<CallTracer> CURRENT = Context.key("millrace-tracer");

    private final GrpcEvents events;
    private final Limits limits;
    private final Patience incoming;
    private final Patience outgoing;
    private GuardedCall<?, ?> call;
    /// Null before the call is started.
    private CallWatch watch;

    private int place;
    private long received;
    private long held;
    private long messages;

    private CallTracer(GrpcEvents events, Limits limits) {
        this.events = events;
        this.limits = limits;
        this.incoming = new Patience(limits);
        this.outgoing = new Patience(limits);
    }

    static Factory factory(GrpcEvents events, Limits limits) {
        return new Factory() {
            @Override
            public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
                return new CallTracer(events, limits);
            }
        };
    }

    /// Of the call that is being started.
    static CallTracer current() {
        return CURRENT.get();
    }

    @Override
    public Context filterContext(Context context) {
        return context.withValue(CURRENT, this);
    }

    /// This is the call.
    ///
    /// @param watcher of its event loop
    void of(GuardedCall<?, ?> started, CallWatch watcher) {
        call = started;
        watch = watcher;
        watch.add(this);
    }

    /// Where it is among the calls that are watched.
    int place() {
        return place;
    }

    void place(int among) {
        place = among;
    }

    @Override
    public void inboundWireSize(long bytes) {
        received += bytes;
        if (received > limits.get(Limit.MAX_BODY_BYTES)) {
            refuse(Limit.MAX_BODY_BYTES, Outcome.TOO_LARGE, limits.over(Limit.MAX_BODY_BYTES, tooMuch()));
            return;
        }
        long more = received - FRAME_BYTES - held;
        if (more <= 0) {
            return;
        }
        if (events.receiving(more)) {
            held += more;
        } else if (call != null) {
            call.abort(GrpcStatus.of(Outcome.UNAVAILABLE).withDescription(events.tooMuchReceiving()), true);
        }
    }

    private String tooMuch() {
        return "a message of more than " + limits.get(Limit.MAX_BODY_BYTES) + " bytes";
    }

    private void refuse(Limit limit, Outcome outcome, String why) {
        if (call != null && !call.isAborted()) {
            events.limited(limit);
            call.abort(GrpcStatus.of(outcome).withDescription(why), false);
        }
    }

    @Override
    public void inboundMessageRead(int number, long wireBytes, long bytes) {
        messages++;
        giveBack();
    }

    private void giveBack() {
        if (held > 0) {
            events.received(held);
        }
        held = 0;
        received = 0;
    }

    /// Ends the call whose client takes longer than it may: for the rest of a message, for the next one of a stream, or
    /// for an answer, which only the end of the connection can take back.
    void look(long nowNanos) {
        boolean unsent = call.isEnded() || (messages > call.sent() && !call.isReady());
        Limit writing = unsent ? Limit.WRITE_TIMEOUT : null;
        if (outgoing.isOver(writing, call.sent(), call.connection().taken(), nowNanos)) {
            events.limited(Limit.WRITE_TIMEOUT);
            call.connection().close();
            return;
        }
        Limit awaited = unsent ? null : awaited();
        if (incoming.isOver(awaited, messages + call.sent(), received, nowNanos)) {
            String what = awaited == Limit.IDLE_TIMEOUT ? "no request came on the stream" : "the request did not come";
            refuse(awaited, Outcome.EXPIRED, limits.late(awaited, what));
        }
    }

    /// What the client has to send; null if it is not its turn.
    private Limit awaited() {
        if (call.isHalfClosed()) {
            return null;
        }
        if (received > 0 || call.isUnary()) {
            return Limit.BODY_TIMEOUT;
        }
        return messages > call.sent() ? null : Limit.IDLE_TIMEOUT;
    }

    @Override
    public void streamClosed(Status status) {
        giveBack();
        if (watch != null) {
            watch.remove(this);
            watch = null;
        }
        events.ended(status.getCode().value());
    }
}
