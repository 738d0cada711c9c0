// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.monitor.Stage;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.Timing;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Turns the answers of one event loop into bytes of HTTP/1.1, head and body in one buffer. Threads: one.
final class Responses {
    private static final byte[] OK_JSON =
            JsonWriter.ascii("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ");
    private static final byte[] CONTINUE = JsonWriter.ascii("HTTP/1.1 100 Continue\r\n\r\n");
    private static final byte[] CLOSE = JsonWriter.ascii("\r\nConnection: close");
    private static final byte[] KEEP_ALIVE = JsonWriter.ascii("\r\nConnection: keep-alive");
    private static final byte[] HEAD_END = JsonWriter.ascii("\r\n\r\n");
    private static final byte[] SERVER_TIMING = JsonWriter.ascii("\r\nServer-Timing: ");
    private static final byte[] BATCH = JsonWriter.ascii(";desc=\"batch ");
    private static final Stage[] STAGES = Stage.values();
    private static final byte[][] STAGE_NAMES = stageNames();
    private static final long NANOS_PER_MILLI = 1_000_000;
    private static final int MAX_HEAD_BYTES = 256;

    private final JsonWriter json;
    private final JsonWriter head = new JsonWriter();
    private final HttpCounters counters;

    /// @param heap what long answers are booked in while they are written
    Responses(HttpCounters counters, MemoryBudget heap) {
        this.counters = counters;
        this.json = new JsonWriter(heap);
    }

    private static byte[][] stageNames() {
        byte[][] names = new byte[STAGES.length][];
        for (int i = 0; i < names.length; i++) {
            names[i] = JsonWriter.ascii((i == 0 ? "" : ", ") + STAGES[i].name().toLowerCase(Locale.ROOT) + ";dur=");
        }
        return names;
    }

    void count(int status) {
        counters.count(status);
    }

    static ByteBuf goOn(ByteBufAllocator allocator) {
        return allocator.buffer(CONTINUE.length).writeBytes(CONTINUE);
    }

    /// The bytes that answer an exchange.
    ///
    /// @param close whether the connection is closed after it
    ByteBuf encode(Exchange exchange, ByteBufAllocator allocator, boolean close) {
        if (exchange.page() != null) {
            return encodePage(exchange, allocator, close);
        }
        if (exchange.outcome() != Outcome.OK) {
            exchange.answer(refusal(exchange.outcome(), exchange.call()));
            return encodePage(exchange, allocator, close);
        }
        return encodeOutputs(exchange, allocator, close);
    }

    private static Page refusal(Outcome outcome, Call call) {
        int status = HttpStatus.of(outcome);
        if (outcome != Outcome.OVERLOADED && outcome != Outcome.UNAVAILABLE) {
            return Page.error(status, call.message());
        }
        long seconds = Math.ceilDiv(call.retryAfterNanos(), TimeUnit.SECONDS.toNanos(1));
        return Page.retryLater(status, call.message(), Math.max(1, seconds));
    }

    @Hot
    private ByteBuf encodeOutputs(Exchange exchange, ByteBufAllocator allocator, boolean close) {
        Call call = exchange.call();
        call.encoding();
        json.reset();
        exchange.calls().writer().write(json, call, exchange.id(), exchange.outputs());
        call.encoded();
        counters.count(HttpStatus.OK);
        ByteBuf buffer = allocator.buffer(MAX_HEAD_BYTES + json.length());
        buffer.writeBytes(OK_JSON);
        finishHead(buffer, exchange, json.length(), close);
        buffer.writeBytes(json.array(), 0, json.length());
        return buffer;
    }

    @Hot
    private void finishHead(ByteBuf buffer, Exchange exchange, int contentLength, boolean close) {
        head.reset().number(contentLength);
        if (exchange.isTimingWanted() && exchange.call() != null) {
            timing(exchange.call().timing());
        }
        if (close) {
            head.raw(CLOSE);
        } else if (exchange.isOldVersion()) {
            head.raw(KEEP_ALIVE);
        }
        head.raw(HEAD_END);
        buffer.writeBytes(head.array(), 0, head.length());
    }

    /// The stages and the whole in milliseconds.
    @Hot
    private void timing(Timing timing) {
        head.raw(SERVER_TIMING);
        for (int i = 0; i < STAGES.length; i++) {
            head.raw(STAGE_NAMES[i]);
            millis(timing.nanos(STAGES[i]));
            if (STAGES[i] == Stage.RUN) {
                head.raw(BATCH).number(timing.batchRows()).raw('"');
            }
        }
    }

    @Hot
    private void millis(long nanos) {
        head.number(nanos / NANOS_PER_MILLI).raw('.');
        long fraction = nanos % NANOS_PER_MILLI;
        for (long digit = NANOS_PER_MILLI / 10; digit > 0; digit /= 10) {
            head.raw((char) ('0' + fraction / digit % 10));
        }
    }

    private ByteBuf encodePage(Exchange exchange, ByteBufAllocator allocator, boolean close) {
        Page page = exchange.page();
        counters.count(page.status());
        ByteBuf buffer = allocator.buffer(MAX_HEAD_BYTES + page.body().length);
        String header = page.header() == null ? "" : page.header() + "\r\n";
        head.reset()
                .raw("HTTP/1.1 " + page.status() + ' ' + HttpStatus.reason(page.status()) + "\r\n" + header
                        + "Content-Type: " + page.contentType() + "\r\nContent-Length: ");
        buffer.writeBytes(head.array(), 0, head.length());
        finishHead(buffer, exchange, page.body().length, close);
        if (!exchange.isHead()) {
            buffer.writeBytes(page.body());
        }
        return buffer;
    }
}
