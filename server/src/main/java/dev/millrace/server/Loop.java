// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonReader;
import dev.millrace.limit.Client;
import dev.millrace.limit.Clients;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.protocol.InferDecoder;
import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.Turner;
import io.netty.buffer.ByteBuf;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.handler.codec.http.HttpRequest;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What one event loop works with. Requests that its sockets brought in one wake-up are decoded one by one, then
/// submitted together, and then the wheel is turned once.
///
/// Threads: the event loop's, but for [#ended(Exchange)]. Calls that another thread ended come back over a list that
/// any thread may put an exchange on; whoever finds it empty wakes the loop.
final class Loop {
    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
    private static final int INITIAL_SCRATCH = 1 << 16;
    /// What a larger body left behind is given back. A picture of 3 by 224 by 224 is 1.6 MB of JSON: to make room for
    /// each anew would keep the collector busy.
    private static final int KEPT_SCRATCH = 8 << 20;
    private static final byte[] NO_BYTES = {};

    private final SingleThreadEventLoop executor;
    private final Turner turner;
    private final MemoryBudget heap;
    private final CallPools pools;
    private final InferDecoder decoder;
    private final Responses responses;
    private final HttpCounters counters;
    private final Limits limits;
    private final ReceivingBudget receiving;
    /// Null if their rows are not limited.
    private final Clients clients;

    private final String clientKey;
    private final Connections connections;
    private final List<Exchange> decoded = new ArrayList<>();
    private final ArrayDeque<Exchange> endedHere = new ArrayDeque<>();
    private final AtomicReference<Exchange> endedElsewhere = new AtomicReference<>();
    private final ArrayDeque<Connection> unflushed = new ArrayDeque<>();
    private final Runnable wakeUpEnds = this::wakeUpEnds;
    private final Runnable takeEnded = this::takeEnded;
    private byte[] scratch = new byte[INITIAL_SCRATCH];
    private boolean endAwaited;
    private boolean draining;

    /// @param shared what all loops share
    Loop(SingleThreadEventLoop executor, Millrace millrace, Shared shared) {
        this.executor = executor;
        this.turner = millrace.turner();
        this.heap = millrace.memory().heap();
        this.pools = new CallPools(millrace);
        this.counters = shared.counters();
        this.limits = shared.limits();
        this.receiving = shared.receiving();
        this.clients = shared.clients();
        this.clientKey = shared.clientKey();
        this.connections = new Connections(executor, limits, shared.clock());
        this.decoder = new InferDecoder(limits);
        this.responses = new Responses(counters, heap);
    }

    /// What all loops of a server share.
    ///
    /// @param limits what clients may take
    /// @param receiving memory for bodies that have not come wholly
    /// @param clients what they have left, or null if that is not limited
    /// @param clientKey the header that tells them apart, or empty
    /// @param clock nanoseconds, for time limits of connections
    record Shared(
            HttpCounters counters,
            Limits limits,
            ReceivingBudget receiving,
            Clients clients,
            String clientKey,
            LongSupplier clock) {}

    SingleThreadEventLoop executor() {
        return executor;
    }

    Limits limits() {
        return limits;
    }

    ReceivingBudget receiving() {
        return receiving;
    }

    /// Whose request this is; null if clients' rows are not limited.
    Client client(HttpRequest request, Connection connection) {
        if (clients == null) {
            return null;
        }
        String name = clientKey.isEmpty() ? null : request.headers().get(clientKey);
        return name == null ? clients.at(connection.peer()) : clients.named(name);
    }

    HttpCounters counters() {
        return counters;
    }

    /// The open connections.
    Connections connections() {
        return connections;
    }

    /// The answer to what is over a limit. It is counted.
    ///
    /// @param came what there was
    Page over(int status, Limit limit, String came) {
        counters.limited(limit);
        return Page.error(status, limits.over(limit, came));
    }

    Responses responses() {
        return responses;
    }

    /// Whether the server is about to stop.
    boolean isDraining() {
        return draining;
    }

    void opened(Connection connection) {
        connections.add(connection);
        if (draining) {
            connection.drain();
        }
    }

    void closed(Connection connection) {
        connections.remove(connection);
    }

    /// Decodes an inference request. It is submitted at the end of the wake-up, or answered if it cannot be.
    ///
    /// @param body has the body in the `length` bytes that are read next; none is read
    void infer(Exchange exchange, ByteBuf body, int length) {
        try {
            ModelCalls calls =
                    pools.find(exchange.route().model(), exchange.route().version());
            if (length <= KEPT_SCRATCH) {
                decode(exchange, calls, body, length);
            } else {
                decodeLarge(exchange, calls, body, length);
            }
        } catch (MemoryExceededException e) {
            outOfMemory(exchange, e);
        } catch (Refusal e) {
            if (exchange.call() != null) {
                exchange.call().refuse(e.outcome());
            }
            if (e.limit() != null) {
                counters.limited(e.limit());
            }
            exchange.answer(Page.error(HttpStatus.of(e.outcome()), e.getMessage()));
        } catch (InferenceException e) {
            exchange.answer(Page.error(HttpStatus.of(e.outcome()), e.getMessage()));
        } catch (RuntimeException e) {
            exchange.answer(bug(e));
        }
    }

    private static void outOfMemory(Exchange exchange, MemoryExceededException problem) {
        long held = exchange.call() == null ? 0 : exchange.call().heldBytes();
        InferenceException refusal = InferenceException.of(problem, held);
        if (exchange.call() != null) {
            exchange.call().refuse(refusal.outcome());
        }
        exchange.answer(Page.error(HttpStatus.of(refusal.outcome()), refusal.getMessage()));
    }

    /// Books the copy of a large body while it is there.
    private void decodeLarge(Exchange exchange, ModelCalls calls, ByteBuf body, int length) {
        heap.reserve(MemoryTag.BODY, length);
        try {
            decode(exchange, calls, body, length);
        } finally {
            scratch = NO_BYTES;
            heap.release(MemoryTag.BODY, length);
        }
    }

    private void decode(Exchange exchange, ModelCalls calls, ByteBuf body, int length) {
        Client client = exchange.client();
        if (client != null && clients.untilRow(client) > 0) {
            // To decode it would be in vain.
            exchange.answer(tooManyRows(1, clients.untilRow(client)));
            return;
        }
        Call call = calls.take();
        exchange.carriedBy(calls, call, null, null);
        call.begin(exchange.isTimingWanted());
        decoder.decode(call, calls.inputNames(), copied(body, length), 0, length);
        call.decoded();
        exchange.carriedBy(calls, call, decoder.id(), decoder.outputs());
        long timeout = decoder.timeoutMicros();
        if (timeout == 0 || (exchange.timeoutMicros() != 0 && exchange.timeoutMicros() < timeout)) {
            timeout = exchange.timeoutMicros();
        }
        call.timeoutNanos(timeout == 0 ? Call.NO_TIMEOUT : TimeUnit.MICROSECONDS.toNanos(timeout));
        call.priority(decoder.priority());
        if (client == null || takeRows(exchange, client, calls.rows(call))) {
            decoded.add(exchange);
            awaitWakeUpEnd();
        }
    }

    /// Takes a request's rows from what its client has left; false, and it is answered, if those are not enough.
    private boolean takeRows(Exchange exchange, Client client, long rows) {
        if (rows > limits.get(Limit.CLIENT_BURST)) {
            exchange.answer(over(HttpStatus.CONTENT_TOO_LARGE, Limit.CLIENT_BURST, "a request of " + rows + " rows"));
            return false;
        }
        long wait = clients.take(client, rows);
        if (wait > 0) {
            exchange.answer(tooManyRows(rows, wait));
        }
        return wait == 0;
    }

    private Page tooManyRows(long rows, long waitNanos) {
        counters.limited(Limit.CLIENT_LIMIT);
        long millis = Math.ceilDiv(waitNanos, TimeUnit.MILLISECONDS.toNanos(1));
        return Page.retryLater(
                HttpStatus.TOO_MANY_REQUESTS,
                "this client has no " + rows + (rows == 1 ? " row" : " rows") + " left, at most "
                        + limits.get(Limit.CLIENT_LIMIT) + " per second are allowed (" + Limit.CLIENT_LIMIT.option()
                        + "); there will be in " + millis + " ms",
                Math.ceilDiv(millis, 1000));
    }

    /// The body with room behind it, on the heap: that is faster to read than a buffer of any kind.
    private byte[] copied(ByteBuf body, int length) {
        long needed = (long) length + JsonReader.PADDING;
        if (scratch.length < needed || scratch.length > KEPT_SCRATCH) {
            scratch = new byte[Math.toIntExact(Math.max(INITIAL_SCRATCH, needed))];
        }
        body.getBytes(body.readerIndex(), scratch, 0, length);
        return scratch;
    }

    /// An answer for what must not happen: the log has the error under the id in the message.
    static Page bug(Throwable error) {
        String id = Long.toHexString(ThreadLocalRandom.current().nextLong());
        LOG.error("a request failed, error id {}", id, error);
        return Page.error(HttpStatus.INTERNAL_ERROR, "the server failed on this request (error id " + id + ")");
    }

    /// The connection has written something that goes out at the end of the wake-up.
    void flushLater(Connection connection) {
        unflushed.add(connection);
        awaitWakeUpEnd();
    }

    private void awaitWakeUpEnd() {
        if (!endAwaited) {
            endAwaited = true;
            executor.executeAfterEventLoopIteration(wakeUpEnds);
        }
    }

    @Hot
    private void wakeUpEnds() {
        try {
            submitDecoded();
            turner.turn();
            finishEnded();
        } finally {
            endAwaited = false;
            flush();
        }
    }

    @Hot
    private void submitDecoded() {
        int count = decoded.size();
        for (int i = 0; i < count; i++) {
            submit(decoded.get(i));
        }
        decoded.clear();
    }

    @Hot
    private void submit(Exchange exchange) {
        if (exchange.isDropped()) {
            exchange.release();
            return;
        }
        Outcome admission = turner.submit(exchange.call(), exchange);
        if (admission != Outcome.OK) {
            exchange.refused(admission);
            endedHere.add(exchange);
        }
    }

    /// The exchange's call has ended. From any thread, which gives the exchange away.
    @Hot
    void ended(Exchange exchange) {
        if (executor.inEventLoop()) {
            endedHere.add(exchange);
            awaitWakeUpEnd();
            return;
        }
        Exchange before;
        do {
            before = endedElsewhere.get();
            exchange.next(before);
        } while (!endedElsewhere.compareAndSet(before, exchange));
        if (before == null) {
            executor.execute(takeEnded);
        }
    }

    /// Takes over what other threads ended, in the order of their ends.
    private void takeEnded() {
        Exchange last = endedElsewhere.getAndSet(null);
        Exchange first = null;
        while (last != null) {
            Exchange before = last.next();
            last.next(first);
            first = last;
            last = before;
        }
        while (first != null) {
            Exchange following = first.next();
            first.next(null);
            endedHere.add(first);
            first = following;
        }
        awaitWakeUpEnd();
    }

    @Hot
    private void finishEnded() {
        for (Exchange exchange = endedHere.poll(); exchange != null; exchange = endedHere.poll()) {
            exchange.callEnded();
            if (exchange.isDropped()) {
                exchange.release();
            } else {
                exchange.connection().advance();
            }
        }
    }

    @Hot
    private void flush() {
        for (Connection connection = unflushed.poll(); connection != null; connection = unflushed.poll()) {
            connection.flush();
        }
    }

    /// Lets every connection answer what it has taken in, and then closes it.
    void drain() {
        draining = true;
        connections.all().forEach(Connection::drain);
    }

    /// Closes what is still open.
    void closeConnections() {
        connections.all().forEach(Connection::close);
    }

    boolean hasConnections() {
        return !connections.isEmpty();
    }

    /// Frees the calls. The runtime is closed, so that none is in flight.
    void close() {
        takeEnded();
        finishEnded();
        decoded.forEach(Exchange::release);
        decoded.clear();
        pools.close();
    }
}
