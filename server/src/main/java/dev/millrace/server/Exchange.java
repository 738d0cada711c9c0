// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Client;
import dev.millrace.loop.ContentCoding;
import dev.millrace.loop.Submission;
import dev.millrace.memory.Hot;
import dev.millrace.protocol.RequestedOutputs;

/// One request and its answer.
///
/// It is answered either by a call that ended, whose outputs are encoded when its requester is ready for them, or by a
/// page of bytes. Threads: its requester's event loop.
final class Exchange extends Submission {
    /// What an answer looks like.
    enum Form {
        /// V2: the outputs one by one.
        TENSORS,
        /// V1: a prediction for each row.
        PREDICTIONS,
        /// V1: a value for each output.
        VALUES,
        /// Comma-separated values: a line for each row.
        LINES,
        /// The same, of a request that had no rows.
        LINE
    }

    /// In place of a number of bytes: all of the body.
    static final int WHOLE = -1;

    private final Loop loop;
    private final Requester requester;
    private final boolean head;
    private final boolean keepAlive;
    private final boolean oldVersion;

    private Route route;
    private long timeoutMicros;
    private Client client;
    private boolean timingWanted;
    private int jsonBytes = WHOLE;
    private ContentCoding coding = ContentCoding.IDENTITY;
    private ContentCoding answerCoding = ContentCoding.IDENTITY;
    private boolean csv;
    private boolean csvWanted;
    private boolean continueWanted;
    private int bodyBytes;
    private boolean answered;
    private Form form = Form.TENSORS;
    private String id;
    private RequestedOutputs outputs;
    private Page page;

    /// @param head whether the answer has no body
    /// @param keepAlive whether the client wants to send more requests
    /// @param oldVersion whether the client speaks HTTP/1.0
    Exchange(Loop loop, Requester requester, boolean head, boolean keepAlive, boolean oldVersion) {
        super(loop.wakeUp());
        this.loop = loop;
        this.requester = requester;
        this.head = head;
        this.keepAlive = keepAlive;
        this.oldVersion = oldVersion;
    }

    /// Whether this is an inference request that could come again with the same head on the same connection.
    boolean isRepeatable() {
        return route != null && route.target().isInference() && page == null && keepAlive && !oldVersion;
    }

    /// A new request with the same head.
    Exchange again() {
        Exchange exchange = new Exchange(loop, requester, head, keepAlive, oldVersion);
        exchange.route = route;
        exchange.timeoutMicros = timeoutMicros;
        exchange.client = client;
        exchange.timingWanted = timingWanted;
        exchange.jsonBytes = jsonBytes;
        exchange.coding = coding;
        exchange.answerCoding = answerCoding;
        exchange.csv = csv;
        exchange.csvWanted = csvWanted;
        return exchange;
    }

    /// Who asks.
    Requester requester() {
        return requester;
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

    /// How many bytes at the beginning of its body are JSON, or [#WHOLE].
    int jsonBytes() {
        return jsonBytes;
    }

    void jsonBytes(int count) {
        jsonBytes = count;
    }

    /// How its body is compressed.
    ContentCoding coding() {
        return coding;
    }

    void coding(ContentCoding ofBody) {
        coding = ofBody;
    }

    /// How the answer's body may be compressed.
    ContentCoding answerCoding() {
        return answerCoding;
    }

    void answerCoding(ContentCoding accepted) {
        answerCoding = accepted;
    }

    /// Whether its body is comma-separated values.
    boolean isCsv() {
        return csv;
    }

    /// Whether its answer has to be, too.
    boolean isCsvWanted() {
        return csvWanted;
    }

    /// Its body is comma-separated values.
    ///
    /// @param wanted whether its answer has to be, too
    void csv(boolean wanted) {
        csv = true;
        csvWanted = wanted;
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

    /// What the request asks for besides its tensors.
    void decoded(String requestId, RequestedOutputs wantedOutputs) {
        id = requestId;
        outputs = wantedOutputs;
    }

    /// What the answer has to look like.
    Form form() {
        return form;
    }

    void form(Form wanted) {
        form = wanted;
    }

    String id() {
        return id;
    }

    RequestedOutputs outputs() {
        return outputs;
    }

    @Override
    @Hot
    protected void finish() {
        answered = true;
        requester.advance();
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
}
