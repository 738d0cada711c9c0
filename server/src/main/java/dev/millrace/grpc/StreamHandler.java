// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.limit.Limit;
import dev.millrace.memory.Hot;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.io.InputStream;
import java.util.ArrayDeque;

/// `ModelStreamInfer`: as many requests as the stream brings, each answered, in their order. One that fails is answered
/// with its error, and the stream goes on.
///
/// Threads: its event loop's. It asks for no more requests while too many wait, or the client does not take the
/// answers.
final class StreamHandler extends InferHandler {
    /// Of requests that wait for answers; more requests are not read meanwhile.
    private static final int MAX_WAITING_BYTES = 1 << 20;

    private final ArrayDeque<Infer> waiting = new ArrayDeque<>();
    private final int maxWaiting;
    private int waitingBytes;
    private boolean asked;
    private boolean halfClosed;

    StreamHandler(GrpcLoop loop, ServerCall<InputStream, Infer> call, Metadata headers) {
        super(loop, call, headers);
        this.maxWaiting = loop.limits().count(Limit.MAX_PIPELINED);
        call.sendHeaders(new Metadata());
        askForMore();
    }

    private void askForMore() {
        if (!asked && waiting.size() < maxWaiting && waitingBytes < MAX_WAITING_BYTES) {
            asked = true;
            call().request(1);
        }
    }

    @Override
    public void onMessage(InputStream message) {
        asked = false;
        if (isClosed() || call().isCancelled()) {
            return;
        }
        Infer infer = loop().read(this, message);
        waiting.add(infer);
        waitingBytes += infer.bytes();
        if (infer.isRefused()) {
            advance();
        } else {
            loop().wakeUp().submit(infer);
        }
        askForMore();
    }

    @Override
    public void onHalfClose() {
        halfClosed = true;
        advance();
    }

    @Override
    public void onReady() {
        advance();
    }

    @Override
    @Hot
    void ended(Infer infer) {
        advance();
    }

    /// Sends the answers that are there, as far as their order and the client allow.
    private void advance() {
        while (!isClosed() && !waiting.isEmpty() && waiting.peek().isAnswerable() && call().isReady()) {
            Infer first = waiting.poll();
            waitingBytes -= first.bytes();
            answer(first);
        }
        if (halfClosed && waiting.isEmpty()) {
            close(Status.OK, new Metadata());
        } else if (!isClosed()) {
            askForMore();
        }
    }

    private void answer(Infer infer) {
        try {
            Status status = send(infer, true);
            if (!status.isOk() && !isClosed()) {
                loop().answers().writer().error(status.getDescription(), infer.id());
                call().sendMessage(infer);
            }
        } finally {
            infer.release();
        }
    }

    @Override
    void drop() {
        for (Infer infer = waiting.poll(); infer != null; infer = waiting.poll()) {
            infer.drop();
        }
        waitingBytes = 0;
    }
}
