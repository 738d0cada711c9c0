// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Client;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.Outcome;

/// One request on a connection and its answer.
///
/// It is answered either by a call that ended, whose outputs are encoded when the connection is ready for them, or by a
/// page of bytes. Threads: its connection's event loop, but for [#completed(Call, Outcome)]. Ownership: it holds its
/// call from [#carriedBy] until [#release()].
final class Exchange implements Completion {
    private final Loop loop;
    private final Connection connection;
    private final boolean head;
    private final boolean keepAlive;
    private final boolean oldVersion;

    private Route route;
    private long timeoutMicros;
    private Client client;
    private boolean timingWanted;
    private boolean continueWanted;
    private int bodyBytes;
    private boolean answered;
    private boolean dropped;

    private ModelCalls calls;
    private Call call;
    private Outcome outcome;
    private String id;
    private int[] outputs;
    private Page page;

    /// The exchange that ended before this one; while it is on its way to the loop.
    private Exchange next;

    /// @param head whether the answer has no body
    /// @param keepAlive whether the client wants to send more requests
    /// @param oldVersion whether the client speaks HTTP/1.0
    Exchange(Loop loop, Connection connection, boolean head, boolean keepAlive, boolean oldVersion) {
        this.loop = loop;
        this.connection = connection;
        this.head = head;
        this.keepAlive = keepAlive;
        this.oldVersion = oldVersion;
    }

    /// Whether this is an inference request that could come again with the same head on the same connection.
    boolean isRepeatable() {
        return route != null && route.target() == Route.Target.INFER && page == null && keepAlive && !oldVersion;
    }

    /// A new request with the same head.
    Exchange again() {
        Exchange exchange = new Exchange(loop, connection, head, keepAlive, oldVersion);
        exchange.route = route;
        exchange.timeoutMicros = timeoutMicros;
        exchange.client = client;
        exchange.timingWanted = timingWanted;
        return exchange;
    }

    Connection connection() {
        return connection;
    }

    boolean isHead() {
        return head;
    }

    boolean isKeepAlive() {
        return keepAlive;
    }

    boolean isOldVersion() {
        return oldVersion;
    }

    Route route() {
        return route;
    }

    void route(Route found) {
        route = found;
    }

    /// The timeout from the request's header, or 0.
    long timeoutMicros() {
        return timeoutMicros;
    }

    void timeoutMicros(long micros) {
        timeoutMicros = micros;
    }

    /// Whose rows it counts among; null if nobody counts.
    Client client() {
        return client;
    }

    void client(Client sender) {
        client = sender;
    }

    /// Whether the client wants to know where the time went.
    boolean isTimingWanted() {
        return timingWanted;
    }

    void timingWanted(boolean wanted) {
        timingWanted = wanted;
    }

    /// Whether the client waits for permission to send its body.
    boolean isContinueWanted() {
        return continueWanted;
    }

    void continueWanted(boolean wanted) {
        continueWanted = wanted;
    }

    /// The length of its body, once that is known.
    int bodyBytes() {
        return bodyBytes;
    }

    void bodyBytes(int count) {
        bodyBytes = count;
    }

    /// Whether it asks about the server as a whole, which costs next to nothing; or is answered already.
    boolean isAboutServer() {
        return route == null || route.target().isAboutServer();
    }

    /// The request is decoded: this call carries it from now on.
    void carriedBy(ModelCalls owner, Call filled, String requestId, int[] wantedOutputs) {
        calls = owner;
        call = filled;
        id = requestId;
        outputs = wantedOutputs;
    }

    ModelCalls calls() {
        return calls;
    }

    Call call() {
        return call;
    }

    String id() {
        return id;
    }

    int[] outputs() {
        return outputs;
    }

    Outcome outcome() {
        return outcome;
    }

    @Override
    public void completed(Call ended, Outcome how) {
        outcome = how;
        loop.ended(this);
    }

    /// The call was not accepted.
    void refused(Outcome why) {
        outcome = why;
    }

    /// The call can be read from now on.
    void callEnded() {
        answered = true;
    }

    /// Answers with a page, and gives back the call if there is one.
    void answer(Page answer) {
        release();
        page = answer;
        answered = true;
    }

    Page page() {
        return page;
    }

    boolean isAnswered() {
        return answered;
    }

    /// Whether nobody waits for the answer any more.
    boolean isDropped() {
        return dropped;
    }

    /// The connection is gone: ends the call if it is in flight. It comes back as any other.
    void drop() {
        dropped = true;
        if (answered) {
            release();
        } else if (call != null) {
            call.cancel();
        }
    }

    /// Gives the call back. It must not be in flight.
    void release() {
        if (call != null) {
            Call unused = call;
            call = null;
            calls.giveBack(unused);
        }
    }

    Exchange next() {
        return next;
    }

    void next(Exchange exchange) {
        next = exchange;
    }
}
