// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Patience;
import dev.millrace.runtime.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.Http2Stream;
import java.net.InetAddress;

/// A stream of HTTP/2: one request, what has come of it, and how far the client has taken its answer.
///
/// Threads: its event loop's. Ownership: it holds what has come of the body until that is served or the stream closed.
final class RequestStream implements Requester, ChannelFutureListener {
    private final Http2Connection connection;
    private final Http2Stream stream;
    private final Exchange exchange;
    /// Null if nothing of the body has come, or all in one piece.
    private RequestBody body;

    private int received;
    /// The whole request has come.
    private boolean complete;
    /// The rest of the request is not wanted.
    private boolean refused;

    /// What has come and the client got no new window for.
    private int withheld;

    private boolean answering;
    /// Bytes of the answer that the client has not taken.
    private int unsent;

    private boolean sent;
    private boolean closed;
    /// Null if the client never had to do anything when the stream was looked at.
    private Patience patience;

    /// @param request its head
    RequestStream(Http2Connection connection, Http2Stream stream, HttpRequest request) {
        this.connection = connection;
        this.stream = stream;
        this.exchange = connection.heads.exchange(this, request, true);
    }

    /// Reads the head.
    ///
    /// @param problem the answer if it cannot be taken, or null
    /// @param end whether nothing follows
    void begin(HttpRequest request, Page problem, boolean end) {
        Page refusal = problem == null ? connection.heads.check(exchange, request) : problem;
        if (refusal == null) {
            refusal = connection.noRoomFor(exchange);
        }
        if (refusal != null) {
            complete = end;
            refuse(refusal);
        } else if (end) {
            end(Unpooled.EMPTY_BUFFER);
        } else {
            advance();
        }
    }

    @Override
    public InetAddress peer() {
        return connection.peer();
    }

    @Override
    public boolean isLocal() {
        return connection.isLocal();
    }

    /// Takes in a piece of the body.
    ///
    /// @return how much more the client may send for it: less than came while too much waits
    int receive(ByteBuf data, int padding, boolean end) {
        int more = data.readableBytes();
        received += more;
        exchange.continueWanted(false);
        if (refused) {
            complete |= end;
            return more + padding;
        }
        if (received > connection.maxBodyBytes()) {
            refuse(connection.heads.tooLarge("more than " + connection.maxBodyBytes() + " bytes"));
        } else if (end && body == null) {
            end(data);
        } else if (!exchange.isAnswered()) {
            collect(data, end);
        } else if (end) {
            end(Unpooled.EMPTY_BUFFER);
        }
        if (complete || refused || !connection.withholds()) {
            return more + padding;
        }
        withheld += more;
        return padding;
    }

    private void collect(ByteBuf data, boolean end) {
        if (body == null) {
            body = connection.newBody();
        }
        if (body.append(data) == RequestBody.Verdict.NO_MEMORY) {
            refuse(connection.tooMuchReceiving());
        } else if (end) {
            end(body.bytes());
        } else if (!body.hold(connection.context().alloc())) {
            refuse(connection.tooMuchReceiving());
        }
    }

    /// The request has ended. Headers that may follow a body tell nothing.
    void end() {
        if (refused) {
            complete = true;
        } else {
            end(body == null ? Unpooled.EMPTY_BUFFER : body.bytes());
        }
    }

    private void end(ByteBuf whole) {
        complete = true;
        exchange.bodyBytes(received);
        connection.taken(received);
        connection.serve(exchange, whole, whole.readableBytes());
        dropBody();
        advance();
    }

    private void dropBody() {
        if (body != null) {
            body.clear();
        }
    }

    /// Answers before the end of the request, whose rest is not wanted.
    private void refuse(Page page) {
        refused = true;
        dropBody();
        if (exchange.isAnswered()) {
            resetIfDone();
        } else {
            exchange.answer(page);
            advance();
        }
    }

    @Override
    public void advance() {
        if (closed || answering) {
            return;
        }
        if (exchange.isAnswered()) {
            answering = true;
            connection.write(this);
        } else if (exchange.isContinueWanted()) {
            exchange.continueWanted(false);
            connection.goOn(stream);
        }
    }

    /// The answer is on its way, with a body of so many bytes.
    void sending(int bodyBytes) {
        unsent = bodyBytes;
    }

    /// The client has taken a piece of the answer, or will not.
    @Override
    public void operationComplete(ChannelFuture written) {
        if (closed) {
            return;
        }
        int piece = Math.min(unsent, Http2Connection.PIECE_BYTES);
        unsent -= piece;
        connection.sent(piece);
        sent = unsent == 0;
        resetIfDone();
    }

    /// Lets the client stop sending what nobody will read.
    private void resetIfDone() {
        if (refused && !complete && sent) {
            connection.reset(stream);
        }
    }

    /// Lets the client send as much as has come.
    ///
    /// @return how much that is
    int release() {
        int bytes = withheld;
        withheld = 0;
        return bytes;
    }

    Exchange exchange() {
        return exchange;
    }

    Http2Stream stream() {
        return stream;
    }

    /// Whether bytes of the answer wait for the socket or for the whole connection's window, not for the stream's.
    boolean isHeldUp() {
        return unsent > 0 && !connection.isBlocked(stream);
    }

    /// Bytes of a body that has not come wholly.
    int receivedBytes() {
        return complete || refused ? 0 : received;
    }

    /// The stream has ended, by its answer or without one.
    void close() {
        closed = true;
        dropBody();
        connection.sent(unsent);
        if (complete && exchange.bodyBytes() > 0) {
            connection.taken(-exchange.bodyBytes());
        }
        if (!answering) {
            connection.loop.responses().count(HttpStatus.of(Outcome.CANCELLED));
            exchange.drop();
        }
    }

    /// Looks whether the client takes too long with this request, or with its answer.
    void look(long nowNanos) {
        Limit awaited = awaited();
        if (awaited == null && patience == null) {
            return;
        }
        if (patience == null) {
            patience = new Patience(connection.loop.limits());
        }
        long moved = awaited == Limit.BODY_TIMEOUT ? received : -(long) unsent;
        if (!patience.isOver(awaited, 0, moved, nowNanos)) {
            return;
        }
        connection.loop.counters().limited(awaited);
        if (awaited == Limit.BODY_TIMEOUT) {
            refuse(connection.tooLate(awaited, "the body of the request did not come"));
        } else {
            connection.cancel(stream);
        }
    }

    /// What the client has to do with this stream; null while it is not its turn.
    Limit awaited() {
        if (unsent > 0 && connection.isBlocked(stream)) {
            return Limit.WRITE_TIMEOUT;
        }
        boolean turn = !complete && !refused && withheld == 0 && !exchange.isContinueWanted();
        return turn && connection.isReading() ? Limit.BODY_TIMEOUT : null;
    }
}
