// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/// Messages that come slowly, and what they may take together.
class CallTracerTest {
    private static final long FRAME = 1 << 14;
    private static final long ROOM = 100_000;
    /// So that nobody looks but the test.
    private static final Limits NO_TIMES = Limits.DEFAULT
            .with(Limit.BODY_TIMEOUT, 0)
            .with(Limit.IDLE_TIMEOUT, 0)
            .with(Limit.WRITE_TIMEOUT, 0);

    private static final Limits LIMITS = Limits.DEFAULT
            .with(Limit.MAX_BODY_BYTES, 1_000_000)
            .with(Limit.BODY_TIMEOUT, 20_000)
            .with(Limit.IDLE_TIMEOUT, 120_000)
            .with(Limit.WRITE_TIMEOUT, 60_000)
            .with(Limit.MIN_RATE, 1000);

    private final Events events = new Events();
    private final AtomicLong clock = new AtomicLong();
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final CallWatch watch = new CallWatch(ImmediateEventExecutor.INSTANCE, NO_TIMES, clock::get);
    private final ConnectionWrites connection = new ConnectionWrites(channel);

    private void after(int seconds) {
        clock.addAndGet(TimeUnit.SECONDS.toNanos(seconds));
        watch.lookAtAll();
    }

    /// Room for so many bytes, and what was told.
    private static final class Events implements GrpcEvents {
        private long held;
        private final List<Integer> ends = new ArrayList<>();
        private final List<Limit> limited = new ArrayList<>();

        @Override
        public int opened() {
            throw new UnsupportedOperationException("no connection here");
        }

        @Override
        public void closed() {
            throw new UnsupportedOperationException("no connection here");
        }

        @Override
        public void limited(Limit limit) {
            limited.add(limit);
        }

        @Override
        public boolean receiving(long bytes) {
            if (held + bytes > ROOM) {
                return false;
            }
            held += bytes;
            return true;
        }

        @Override
        public void received(long bytes) {
            held -= bytes;
        }

        @Override
        public String tooMuchReceiving() {
            return "too much is on its way";
        }

        @Override
        public void ended(int code) {
            ends.add(code);
        }
    }

    /// A call that remembers how it was closed.
    private static final class Call extends ServerCall<InputStream, Infer> {
        private final List<Status> closed = new ArrayList<>();
        private Metadata trailers;
        private int sent;
        private boolean ready = true;
        private final String method;

        Call(String method) {
            this.method = method;
        }

        @Override
        public void request(int count) {}

        @Override
        public void sendHeaders(Metadata headers) {
            sent++;
        }

        @Override
        public void sendMessage(Infer message) {
            sent++;
        }

        @Override
        public void close(Status status, Metadata last) {
            closed.add(status);
            trailers = last;
        }

        @Override
        public boolean isReady() {
            return ready;
        }

        @Override
        public boolean isCancelled() {
            return false;
        }

        @Override
        public MethodDescriptor<InputStream, Infer> getMethodDescriptor() {
            return Methods.ofInference(method);
        }
    }

    private ServerCall.Listener<InputStream> listener;

    private ServerStreamTracer tracer() {
        return CallTracer.factory(events, LIMITS).newServerStreamTracer("any", new Metadata());
    }

    /// The call as a handler has it.
    @SuppressWarnings("unchecked")
    private ServerCall<InputStream, Infer> start(ServerStreamTracer tracer, Call call) {
        List<ServerCall<InputStream, Infer>> started = new ArrayList<>();
        tracer.filterContext(Context.ROOT)
                .run(() -> listener = GuardedCall.all(_ -> new GuardedCall.Place(watch, connection))
                        .interceptCall(call, new Metadata(), (guarded, _) -> {
                            started.add(guarded);
                            return new ServerCall.Listener<>() {};
                        }));
        return started.getFirst();
    }

    @Test
    void shouldHoldOnlyWhatComesAfterTheFirstFrame() {
        ServerStreamTracer tracer = tracer();

        tracer.inboundWireSize(FRAME);
        assertThat(events.held).isZero();
        tracer.inboundWireSize(1000);
        tracer.inboundWireSize(500);
        assertThat(events.held).isEqualTo(1500);
        tracer.inboundMessageRead(0, FRAME + 1500, FRAME + 1500);
        assertThat(events.held).isZero();
        tracer.inboundWireSize(FRAME + 7);
        assertThat(events.held).isEqualTo(7);
        tracer.streamClosed(Status.CANCELLED);
        assertThat(events.held).isZero();
        assertThat(events.ends).containsExactly(Status.Code.CANCELLED.value());
    }

    @Test
    void shouldEndACallForWhoseMessageThereIsNoRoom() {
        ServerStreamTracer first = tracer();
        ServerStreamTracer second = tracer();
        Call call = new Call("ModelInfer");
        ServerCall<InputStream, Infer> guarded = start(second, call);

        first.inboundWireSize(FRAME + 60_000);
        second.inboundWireSize(FRAME + 40_000);
        assertThat(call.closed).isEmpty();
        second.inboundWireSize(1);

        assertThat(call.closed).hasSize(1);
        assertThat(call.closed.getFirst().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(call.closed.getFirst().getDescription()).isEqualTo("too much is on its way");
        assertThat(call.trailers.get(GrpcStatus.RETRY_AFTER_MILLIS)).isEqualTo("1000");
        second.inboundWireSize(1);
        guarded.sendHeaders(new Metadata());
        guarded.close(Status.OK, new Metadata());
        assertThat(call.closed).as("what was said afterwards").hasSize(1);
        assertThat(call.sent).isZero();
        second.streamClosed(Status.UNAVAILABLE);
        assertThat(events.held).isEqualTo(60_000);
        first.streamClosed(Status.CANCELLED);
        assertThat(events.held).isZero();
    }

    @Test
    void shouldHandOnWhatIsSaidToACallThatGoesOn() {
        Call call = new Call("ModelInfer");
        ServerCall<InputStream, Infer> guarded = start(tracer(), call);

        guarded.sendHeaders(new Metadata());
        guarded.close(Status.OK, new Metadata());

        assertThat(call.sent).isEqualTo(1);
        assertThat(call.closed).containsExactly(Status.OK);
    }

    @Test
    void shouldEndACallWhoseMessageIsTooLarge() {
        ServerStreamTracer tracer = tracer();
        Call call = new Call("ModelInfer");
        ServerCall<InputStream, Infer> guarded = start(tracer, call);

        tracer.inboundWireSize(LIMITS.get(Limit.MAX_BODY_BYTES) + 1);
        tracer.inboundWireSize(1);

        assertThat(call.closed).hasSize(1);
        assertThat(call.closed.getFirst().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(call.closed.getFirst().getDescription())
                .isEqualTo("a message of more than 1000000 bytes, at most 1000000 are allowed (--max-body-bytes)");
        assertThat(guarded.isCancelled()).isTrue();
        assertThat(events.limited).containsExactly(Limit.MAX_BODY_BYTES);
    }

    private void assertLate(Call call, Limit limit, String message) {
        assertThat(call.closed).hasSize(1);
        assertThat(call.closed.getFirst().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(call.closed.getFirst().getDescription()).isEqualTo(message);
        assertThat(events.limited).containsExactly(limit);
    }

    @Test
    void shouldEndACallWhoseMessageDoesNotCome() {
        Call call = new Call("ModelInfer");
        start(tracer(), call);

        after(0);
        after(20);
        assertThat(call.closed).isEmpty();
        after(1);

        assertLate(call, Limit.BODY_TIMEOUT, "the request did not come within 20 s (--body-timeout)");
        after(1);
        after(61);
        assertThat(channel.isOpen())
                .as("whoever does not take even that is cut off")
                .isFalse();
    }

    @Test
    void shouldGiveTimeForWhatComes() {
        Call call = new Call("ModelInfer");
        ServerStreamTracer tracer = tracer();
        start(tracer, call);

        after(0);
        for (int second = 0; second < 60; second++) {
            tracer.inboundWireSize(1000);
            after(1);
        }
        assertThat(call.closed).isEmpty();
        after(21);
        assertThat(call.closed).hasSize(1);
    }

    @Test
    void shouldWaitForTheModelAsLongAsItTakes() {
        Call call = new Call("ModelInfer");
        ServerStreamTracer tracer = tracer();
        start(tracer, call);

        tracer.inboundWireSize(10);
        tracer.inboundMessageRead(0, 10, 10);
        listener.onHalfClose();
        after(0);
        after(100_000);

        assertThat(call.closed).isEmpty();
        tracer.streamClosed(Status.OK);
        after(100_000);
        assertThat(events.limited).isEmpty();
    }

    @Test
    void shouldEndACallThatIsNotClosedByItsClient() {
        Call call = new Call("ModelInfer");
        ServerStreamTracer tracer = tracer();
        start(tracer, call);
        tracer.inboundMessageRead(0, 10, 10);

        after(0);
        after(21);

        assertLate(call, Limit.BODY_TIMEOUT, "the request did not come within 20 s (--body-timeout)");
    }

    @Test
    void shouldEndAStreamThatIsIdleAndNotOneThatWaits() {
        Call call = new Call("ModelStreamInfer");
        ServerStreamTracer tracer = tracer();
        ServerCall<InputStream, Infer> guarded = start(tracer, call);

        after(0);
        after(100);
        tracer.inboundMessageRead(0, 10, 10);
        after(0);
        after(10_000);
        assertThat(call.closed).as("it waits for an answer").isEmpty();
        guarded.sendMessage(null);
        after(0);
        after(120);
        assertThat(call.closed).isEmpty();
        after(1);

        assertLate(call, Limit.IDLE_TIMEOUT, "no request came on the stream within 120 s (--idle-timeout)");
    }

    @Test
    void shouldEndAStreamInTheMiddleOfAMessage() {
        Call call = new Call("ModelStreamInfer");
        ServerStreamTracer tracer = tracer();
        start(tracer, call);

        tracer.inboundWireSize(10);
        after(0);
        after(21);

        assertLate(call, Limit.BODY_TIMEOUT, "the request did not come within 20 s (--body-timeout)");
    }

    @Test
    void shouldCloseTheConnectionOfAClientThatDoesNotTakeItsAnswer() {
        Call call = new Call("ModelInfer");
        ServerStreamTracer tracer = tracer();
        ServerCall<InputStream, Infer> guarded = start(tracer, call);
        tracer.inboundMessageRead(0, 10, 10);
        listener.onHalfClose();
        guarded.close(Status.OK, new Metadata());

        after(0);
        after(60);
        assertThat(channel.isOpen()).isTrue();
        after(1);

        assertThat(channel.isOpen()).isFalse();
        assertThat(events.limited).containsExactly(Limit.WRITE_TIMEOUT);
    }

    @Test
    void shouldGiveTimeToAClientThatTakesWhatItGets() {
        channel.pipeline().addLast(connection);
        Call call = new Call("ModelStreamInfer");
        call.ready = false;
        ServerStreamTracer tracer = tracer();
        start(tracer, call);
        tracer.inboundMessageRead(0, 10, 10);

        after(0);
        for (int second = 0; second < 300; second++) {
            channel.writeOutbound(Unpooled.wrappedBuffer(new byte[1000]));
            after(1);
        }
        assertThat(channel.isOpen()).isTrue();
        after(61);
        assertThat(channel.isOpen()).isFalse();
        channel.releaseOutbound();
    }
}
