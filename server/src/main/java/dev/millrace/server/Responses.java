// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonWriter;
import dev.millrace.loop.ContentCoding;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.monitor.Stage;
import dev.millrace.protocol.BinaryOutputs;
import dev.millrace.protocol.CsvWriter;
import dev.millrace.protocol.PredictWriter;
import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.Timing;
import dev.millrace.trace.FrontEnd;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.AsciiString;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says what answers the exchanges of one event loop: status, headers and body, whatever version of HTTP they go out
/// by. Threads: one.
final class Responses {
    private static final Logger LOG = LoggerFactory.getLogger(Responses.class);
    private static final AsciiString SERVER_TIMING = AsciiString.cached("Server-Timing");
    private static final byte[] BATCH = JsonWriter.ascii(";desc=\"batch ");
    private static final Stage[] STAGES = Stage.values();
    private static final byte[][] STAGE_NAMES = stageNames();
    private static final long NANOS_PER_MILLI = 1_000_000;

    private final JsonWriter json;
    private final JsonWriter timing = new JsonWriter();
    private final Answer answer = new Answer();
    private final BinaryOutputs binary = new BinaryOutputs();
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

    /// The answer to an exchange in HTTP/1.1, head and body.
    ///
    /// @param close whether the connection is closed after it
    /// @throws OutOfMemoryError if there is not even memory to say so
    ByteBuf http1(ByteBufAllocator allocator, Exchange exchange, boolean close) {
        ByteBuf bytes;
        try {
            bytes = answer(exchange).http1(allocator, exchange, close);
        } catch (OutOfMemoryError e) {
            bytes = noRoom(exchange, e).http1(allocator, exchange, close);
        }
        counters.count(answer.status());
        return bytes;
    }

    /// The answer to an exchange, with the memory that its body goes out from. It holds until the next one.
    ///
    /// @throws OutOfMemoryError if there is not even memory to say that there is none
    Answer joined(ByteBufAllocator allocator, Exchange exchange) {
        try {
            join(allocator, exchange, answer(exchange));
        } catch (OutOfMemoryError e) {
            join(allocator, exchange, noRoom(exchange, e));
        }
        counters.count(answer.status());
        return answer;
    }

    private static void join(ByteBufAllocator allocator, Exchange exchange, Answer answer) {
        if (!exchange.isHead() && answer.length() > 0) {
            answer.join(allocator);
        }
    }

    /// Says that there is no memory for the answer, which other answers have that their clients have not taken.
    private Answer noRoom(Exchange exchange, OutOfMemoryError e) {
        LOG.debug("an answer is not sent", e);
        exchange.answer(Page.retryLater(
                HttpStatus.of(Outcome.OVERLOADED),
                "the answer has " + answer.length() + " bytes, and there is no memory for them now: "
                        + "answers that clients have not taken have it",
                1));
        return filled(exchange);
    }

    /// The answer to an exchange. It holds until the next one.
    private Answer answer(Exchange exchange) {
        try {
            return filled(exchange);
        } catch (MemoryExceededException e) {
            InferenceException refusal = InferenceException.of(e, 0);
            exchange.answer(Page.error(HttpStatus.of(refusal.outcome()), refusal.getMessage()));
        } catch (Refusal e) {
            exchange.answer(Page.error(HttpStatus.of(e), e.getMessage()));
        } catch (RuntimeException e) {
            exchange.answer(Loop.bug(e));
        }
        return filled(exchange);
    }

    /// An answer that needs no exchange, and counts it. It holds until the next one.
    Answer joined(ByteBufAllocator allocator, Page page) {
        fillPage(page);
        answer.join(allocator);
        counters.count(answer.status());
        return answer;
    }

    private Answer filled(Exchange exchange) {
        if (exchange.page() == null && exchange.outcome() != Outcome.OK) {
            exchange.answer(refusal(exchange.outcome(), exchange.call()));
        }
        if (exchange.page() == null && exchange.form() != Exchange.Form.TENSORS) {
            fillPredictions(exchange);
        } else if (exchange.page() == null) {
            fillOutputs(exchange);
        } else {
            fillPage(exchange.page());
        }
        if (exchange.answerCoding() != ContentCoding.IDENTITY && !exchange.isHead()) {
            answer.compress(exchange.answerCoding());
        }
        return answer;
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
    private void fillOutputs(Exchange exchange) {
        Call call = exchange.call();
        call.encoding();
        json.reset();
        binary.reset();
        exchange.calls().writer().write(json, call, exchange.id(), exchange.outputs(), binary);
        exchange.encoded(FrontEnd.HTTP, exchange.id());
        if (binary.isEmpty()) {
            answer.begin(HttpStatus.OK, Answer.JSON).body(json.array(), json.length());
        } else {
            answer.begin(HttpStatus.OK, Answer.OCTETS).body(json.array(), json.length(), binary);
            answer.header(Answer.JSON_LENGTH, json.length());
        }
        if (exchange.isTimingWanted()) {
            timing(call.timing());
        }
    }

    private void fillPredictions(Exchange exchange) {
        Call call = exchange.call();
        call.encoding();
        json.reset();
        Exchange.Form form = exchange.form();
        boolean lines = form == Exchange.Form.LINES || form == Exchange.Form.LINE;
        if (lines) {
            CsvWriter.write(json, call, form == Exchange.Form.LINES);
        } else {
            PredictWriter.write(json, call, form == Exchange.Form.PREDICTIONS);
        }
        exchange.encoded(FrontEnd.HTTP, null);
        answer.begin(HttpStatus.OK, lines ? Answer.CSV : Answer.JSON).body(json.array(), json.length());
        if (exchange.isTimingWanted()) {
            timing(call.timing());
        }
    }

    private void fillPage(Page page) {
        answer.begin(page.status(), page.contentType()).body(page.body(), page.body().length);
        if (page.header() != null) {
            answer.header(page.header().name(), page.header().value());
        }
    }

    /// The stages and the whole in milliseconds.
    private void timing(Timing measured) {
        timing.reset();
        for (int i = 0; i < STAGES.length; i++) {
            timing.raw(STAGE_NAMES[i]);
            millis(measured.nanos(STAGES[i]));
            if (STAGES[i] == Stage.RUN) {
                timing.raw(BATCH).number(measured.batchRows()).raw('"');
            }
        }
        answer.header(SERVER_TIMING, timing.toBytes());
    }

    private void millis(long nanos) {
        timing.number(nanos / NANOS_PER_MILLI).raw('.');
        long fraction = nanos % NANOS_PER_MILLI;
        for (long digit = NANOS_PER_MILLI / 10; digit > 0; digit /= 10) {
            timing.raw((char) ('0' + fraction / digit % 10));
        }
    }
}
