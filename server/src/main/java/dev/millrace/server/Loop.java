// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.control.AdminAccess;
import dev.millrace.json.JsonReader;
import dev.millrace.limit.Client;
import dev.millrace.limit.Clients;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.limit.ReceivingBudget;
import dev.millrace.loop.BodyBytes;
import dev.millrace.loop.CallPools;
import dev.millrace.loop.ContentCoding;
import dev.millrace.loop.ModelCalls;
import dev.millrace.loop.WakeUp;
import dev.millrace.manage.ManagementException;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.protocol.CsvDecoder;
import dev.millrace.protocol.InferDecoder;
import dev.millrace.protocol.PredictDecoder;
import dev.millrace.protocol.Refusal;
import dev.millrace.protocol.RequestParameters;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Millrace;
import dev.millrace.trace.Tracing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import io.netty.channel.SingleThreadEventLoop;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What one event loop works with for HTTP. Requests that its sockets brought in one wake-up are decoded one by one;
/// the rest of their way is the loop's [WakeUp].
///
/// Threads: the event loop's.
final class Loop {
    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
    private static final int INITIAL_SCRATCH = 1 << 16;
    /// What a larger body left behind is given back. A picture of 3 by 224 by 224 is 1.6 MB of JSON: to make room for
    /// each anew would keep the collector busy.
    private static final int KEPT_SCRATCH = 8 << 20;
    /// A compressed body is taken in pieces of this size.
    private static final int DECOMPRESSED_PIECE = 1 << 16;

    private static final byte[] NO_BYTES = {};

    private final SingleThreadEventLoop executor;
    private final WakeUp wakeUp;
    private final MemoryBudget heap;
    private final CallPools pools;
    private final InferDecoder decoder;
    private final PredictDecoder predictions;
    private final CsvDecoder csv;
    private final Responses responses;
    private final HttpCounters counters;
    private final Limits limits;
    private final ReceivingBudget receiving;
    /// Null if their rows are not limited.
    private final Clients clients;

    private final String clientKey;
    private final AdminAccess admin;
    private final Connections connections;
    private final ArrayDeque<Connection> unflushed = new ArrayDeque<>();
    private final BodyBytes bytes = new BodyBytes();
    private byte[] scratch = new byte[INITIAL_SCRATCH];
    private boolean leaving;
    private boolean draining;

    /// @param shared what all loops share
    Loop(SingleThreadEventLoop executor, Millrace millrace, Shared shared) {
        this.executor = executor;
        this.wakeUp = new WakeUp(executor, millrace);
        this.heap = millrace.memory().heap();
        this.pools = new CallPools(millrace, executor, shared.tracing());
        this.counters = shared.counters();
        this.limits = shared.limits();
        this.receiving = shared.receiving();
        this.clients = shared.clients();
        this.clientKey = shared.clientKey();
        this.admin = shared.admin();
        this.connections = new Connections(executor, limits, shared.clock());
        this.decoder = new InferDecoder(limits);
        this.predictions = new PredictDecoder(limits);
        this.csv = new CsvDecoder(limits);
        this.responses = new Responses(counters, heap);
        wakeUp.endsWith(this::flush);
    }

    /// What all loops of a server share.
    ///
    /// @param limits what clients may take
    /// @param receiving memory for bodies that have not come wholly
    /// @param clients what they have left, or null if that is not limited
    /// @param clientKey the header that tells them apart, or empty
    /// @param clock nanoseconds, for time limits of connections
    /// @param admin decides who may change models
    /// @param tracing what traces requests
    record Shared(
            HttpCounters counters,
            Limits limits,
            ReceivingBudget receiving,
            Clients clients,
            String clientKey,
            LongSupplier clock,
            AdminAccess admin,
            Tracing tracing) {}

    SingleThreadEventLoop executor() {
        return executor;
    }

    WakeUp wakeUp() {
        return wakeUp;
    }

    CallPools pools() {
        return pools;
    }

    Limits limits() {
        return limits;
    }

    /// What requests may take of the heap.
    MemoryBudget heap() {
        return heap;
    }

    ReceivingBudget receiving() {
        return receiving;
    }

    /// Whose request this is; null if clients' rows are not limited.
    Client client(HttpRequest request, Requester requester) {
        if (clients == null) {
            return null;
        }
        String name = clientKey.isEmpty() ? null : request.headers().get(clientKey);
        return name == null ? clients.at(requester.peer()) : clients.named(name);
    }

    /// Refuses who may not change models.
    ///
    /// @throws ManagementException if so
    void requireAdmin(Exchange exchange, HttpRequest request) {
        Route.Target target = exchange.route().target();
        boolean load = target == Route.Target.LOAD || target == Route.Target.UNLOAD;
        boolean local = exchange.requester().isLocal();
        if (local && request.headers().contains(HttpHeaderNames.ORIGIN)) {
            throw new ManagementException(
                    ManagementException.Problem.FORBIDDEN,
                    "the admin port answers no browsers: a page of somebody else may have sent this");
        }
        admin.require(load, request.headers().get(HttpHeaderNames.AUTHORIZATION), local);
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

    /// Whether the server is about to stop, and clients should ask another one from now on.
    boolean isLeaving() {
        return leaving;
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

    /// The answer to a piece of a body for which there is no memory. It is counted.
    Page tooMuchReceiving() {
        counters.limited(Limit.MAX_RECEIVING_BYTES);
        return Page.retryLater(
                HttpStatus.UNAVAILABLE,
                "bodies on their way take " + receiving.used() + " bytes, at most " + receiving.limit()
                        + " are allowed (" + Limit.MAX_RECEIVING_BYTES.option() + "); buffers take "
                        + PlatformDependent.usedDirectMemory() + " of " + PlatformDependent.maxDirectMemory(),
                1);
    }

    /// Decodes an inference request. It is submitted at the end of the wake-up, or answered if it cannot be.
    ///
    /// @param body has the body in the `length` bytes that are read next; none is read
    void infer(Exchange exchange, ByteBuf body, int length) {
        if (exchange.coding() == ContentCoding.IDENTITY) {
            inferPlain(exchange, body, length);
        } else {
            inferCompressed(exchange, body, length);
        }
    }

    /// Decompresses a body piece by piece, so that it never takes more memory than one may that comes as it is.
    private void inferCompressed(Exchange exchange, ByteBuf body, int length) {
        RequestBody plain = new RequestBody(limits.count(Limit.MAX_BODY_BYTES), receiving);
        try (InputStream in = exchange.coding().reader(new ByteBufInputStream(body.duplicate(), length))) {
            byte[] piece = new byte[DECOMPRESSED_PIECE];
            for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
                RequestBody.Verdict verdict = plain.append(Unpooled.wrappedBuffer(piece, 0, count));
                if (verdict == RequestBody.Verdict.TOO_LONG) {
                    String came = "a body of more than " + plain.limit() + " bytes when decompressed";
                    exchange.answer(over(HttpStatus.CONTENT_TOO_LARGE, Limit.MAX_BODY_BYTES, came));
                    return;
                }
                if (verdict == RequestBody.Verdict.NO_MEMORY || !plain.hold(body.alloc())) {
                    exchange.answer(tooMuchReceiving());
                    return;
                }
            }
            inferPlain(exchange, plain.bytes(), plain.bytes().readableBytes());
        } catch (IOException e) {
            String why = e.getMessage() == null ? "it ends too early" : e.getMessage();
            exchange.answer(
                    Page.error(HttpStatus.BAD_REQUEST, "the body cannot be read as " + exchange.coding() + ": " + why));
        } finally {
            plain.clear();
        }
    }

    private void inferPlain(Exchange exchange, ByteBuf body, int length) {
        try {
            ModelCalls calls = exchange.route().target() == Route.Target.INVOKE
                    ? pools.only()
                    : pools.find(exchange.route().model(), exchange.route().version());
            if (jsonBytes(exchange, length) <= KEPT_SCRATCH) {
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
            exchange.answer(Page.error(HttpStatus.of(e), e.getMessage()));
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

    /// Books the copy of a large body's JSON while it is there.
    private void decodeLarge(Exchange exchange, ModelCalls calls, ByteBuf body, int length) {
        int copied = jsonBytes(exchange, length);
        heap.reserve(MemoryTag.BODY, copied);
        try {
            decode(exchange, calls, body, length);
        } finally {
            scratch = NO_BYTES;
            heap.release(MemoryTag.BODY, copied);
        }
    }

    /// The length of a body's JSON. If the body is shorter, the request is refused later.
    private static int jsonBytes(Exchange exchange, int length) {
        return exchange.jsonBytes() == Exchange.WHOLE ? length : Math.min(length, exchange.jsonBytes());
    }

    private void decode(Exchange exchange, ModelCalls calls, ByteBuf body, int length) {
        Client client = exchange.client();
        if (client != null && clients.untilRow(client) > 0) {
            // To decode it would be in vain.
            exchange.answer(tooManyRows(1, clients.untilRow(client)));
            return;
        }
        Call call = calls.take();
        exchange.carriedBy(calls, call);
        exchange.begin(exchange.isTimingWanted());
        if (exchange.isCsv()) {
            csv.decode(call, copied(body, length), 0, length);
            exchange.form(csvForm(exchange));
            setPromises(exchange, call, 0, 0);
        } else if (isPrediction(exchange, body, length)) {
            predictions.decode(call, calls.inputNames(), copied(body, length), 0, length);
            exchange.form(predictions.isRows() ? Exchange.Form.PREDICTIONS : Exchange.Form.VALUES);
            setPromises(exchange, call, 0, 0);
        } else {
            decode(exchange, call, body, length);
            exchange.decoded(decoder.id(), decoder.outputs());
            RequestParameters parameters = decoder.parameters();
            setPromises(exchange, call, parameters.timeoutMicros(), parameters.priority());
        }
        call.decoded();
        if (client == null || takeRows(exchange, client, calls.rows(call))) {
            wakeUp.submit(exchange);
        }
    }

    private Exchange.Form csvForm(Exchange exchange) {
        if (exchange.isCsvWanted()) {
            return csv.isRows() ? Exchange.Form.LINES : Exchange.Form.LINE;
        }
        return csv.isRows() ? Exchange.Form.PREDICTIONS : Exchange.Form.VALUES;
    }

    /// Whether a body is one of V1. Where the path does not tell, the body does.
    private boolean isPrediction(Exchange exchange, ByteBuf body, int length) {
        return switch (exchange.route().target()) {
            case PREDICT -> true;
            case INVOKE -> exchange.jsonBytes() == Exchange.WHOLE && predictions.takes(copied(body, length), 0, length);
            default -> false;
        };
    }

    /// @param timeoutMicros what the body says; what the head says counts if that is less
    private static void setPromises(Exchange exchange, Call call, long timeoutMicros, int priority) {
        long timeout = timeoutMicros;
        if (timeout == 0 || (exchange.timeoutMicros() != 0 && exchange.timeoutMicros() < timeout)) {
            timeout = exchange.timeoutMicros();
        }
        call.timeoutNanos(timeout == 0 ? Call.NO_TIMEOUT : TimeUnit.MICROSECONDS.toNanos(timeout));
        call.priority(priority);
    }

    private void decode(Exchange exchange, Call call, ByteBuf body, int length) {
        byte[][] names = exchange.calls().inputNames();
        int json = exchange.jsonBytes();
        if (json == Exchange.WHOLE) {
            decoder.decode(call, names, copied(body, length), 0, length, null);
            return;
        }
        if (json > length) {
            throw Refusal.invalid("header Inference-Header-Content-Length is " + json + ", but the body has only "
                    + length + " bytes");
        }
        bytes.of(body, body.readerIndex() + json, length - json);
        try {
            if (json == 0) {
                decoder.decodeRaw(call, bytes);
            } else {
                decoder.decode(call, names, copied(body, json), 0, json, bytes);
            }
        } finally {
            bytes.clear();
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
        return Page.retryLater(
                HttpStatus.TOO_MANY_REQUESTS,
                Clients.tooManyRows(limits, rows, waitNanos),
                Math.ceilDiv(waitNanos, TimeUnit.SECONDS.toNanos(1)));
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
        wakeUp.awaitEnd();
    }

    @Hot
    private void flush() {
        for (Connection connection = unflushed.poll(); connection != null; connection = unflushed.poll()) {
            connection.flush();
        }
    }

    /// Goes on serving, and tells clients to ask another server.
    void leave() {
        leaving = true;
        connections.all().forEach(Connection::leave);
    }

    /// Lets every connection answer what it has taken in, and then closes it.
    void drain() {
        leaving = true;
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
        wakeUp.close();
        pools.close();
    }
}
