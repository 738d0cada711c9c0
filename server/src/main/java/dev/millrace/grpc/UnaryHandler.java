// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.memory.Hot;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.io.InputStream;

/// `ModelInfer`: one request and its answer. Threads: its event loop's.
final class UnaryHandler extends InferHandler {
    private Infer infer;
    private boolean submitted;

    UnaryHandler(GrpcLoop loop, ServerCall<InputStream, Infer> call, Metadata headers) {
        super(loop, call, headers);
        // One more than there may be, so that it is noticed.
        call.request(2);
    }

    @Override
    public void onMessage(InputStream message) {
        if (isClosed() || call().isCancelled()) {
            return;
        }
        if (infer != null) {
            infer.release();
            close(Status.UNIMPLEMENTED.withDescription("a call of ModelInfer has one request"), new Metadata());
            return;
        }
        infer = loop().read(this, message);
    }

    @Override
    public void onHalfClose() {
        if (isClosed() || call().isCancelled()) {
            return;
        }
        if (infer == null) {
            close(
                    Status.UNIMPLEMENTED.withDescription("a call of ModelInfer has one request, none came"),
                    new Metadata());
        } else if (infer.isRefused()) {
            ended(infer);
        } else {
            submitted = true;
            loop().wakeUp().submit(infer);
        }
    }

    @Override
    @Hot
    void ended(Infer ended) {
        answer();
    }

    private void answer() {
        Metadata trailers = infer.trailers();
        if (infer.status().isOk()) {
            call().sendHeaders(new Metadata());
        }
        Status status = send(infer, false);
        infer.release();
        close(status, trailers);
    }

    @Override
    void drop() {
        if (submitted) {
            infer.drop();
        } else if (infer != null) {
            infer.release();
        }
    }
}
