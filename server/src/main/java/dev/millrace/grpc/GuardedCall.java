// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// A call that may be ended while its message is still on its way; whoever answers it later is not heard. Threads: its
/// event loop's.
final class GuardedCall<A, B> extends SimpleForwardingServerCall<A, B> {
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final ConnectionWrites connection;
    private boolean aborted;
    private boolean ended;
    private boolean halfClosed;
    private long sent;

    /// Where a call is, and who looks after it.
    ///
    /// @param watch of its event loop
    /// @param connection that it came by
    record Place(CallWatch watch, ConnectionWrites connection) {}

    /// Guards every call.
    ///
    /// @param places where a call is
    static ServerInterceptor all(Function<ServerCall<?, ?>, Place> places) {
        return new ServerInterceptor() {
            @Override
            public <A, B> ServerCall.Listener<A> interceptCall(
                    ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
                Place place = places.apply(call);
                GuardedCall<A, B> guarded = new GuardedCall<>(call, place.connection());
                CallTracer.current().of(guarded, place.watch());
                return guarded.heard(next.startCall(guarded, headers));
            }
        };
    }

    private GuardedCall(ServerCall<A, B> call, ConnectionWrites connection) {
        super(call);
        this.connection = connection;
    }

    private ServerCall.Listener<A> heard(ServerCall.Listener<A> listener) {
        return new SimpleForwardingServerCallListener<>(listener) {
            @Override
            public void onHalfClose() {
                halfClosed = true;
                super.onHalfClose();
            }
        };
    }

    /// The connection that it came by.
    ConnectionWrites connection() {
        return connection;
    }

    /// Whether it has one request only.
    boolean isUnary() {
        return getMethodDescriptor().getType().clientSendsOneMessage();
    }

    /// Whether its client sends no more.
    boolean isHalfClosed() {
        return halfClosed;
    }

    /// Whether all was said that there is to say; the client may not have taken it.
    boolean isEnded() {
        return ended;
    }

    /// Whether it was ended by [#abort(Status, boolean)].
    boolean isAborted() {
        return aborted;
    }

    /// How many answers there were.
    long sent() {
        return sent;
    }

    /// Ends the call.
    ///
    /// @param why what its client is told
    /// @param later whether it may try again after a while
    void abort(Status why, boolean later) {
        if (!aborted && !ended) {
            aborted = true;
            ended = true;
            super.close(why, later ? GrpcStatus.retryAfter(RETRY_NANOS) : new Metadata());
        }
    }

    @Override
    public boolean isCancelled() {
        return aborted || super.isCancelled();
    }

    @Override
    public void sendHeaders(Metadata headers) {
        if (!aborted) {
            super.sendHeaders(headers);
        }
    }

    @Override
    public void sendMessage(B message) {
        if (!aborted) {
            sent++;
            super.sendMessage(message);
        }
    }

    @Override
    public void close(Status status, Metadata trailers) {
        if (!aborted) {
            ended = true;
            super.close(status, trailers);
        }
    }
}
