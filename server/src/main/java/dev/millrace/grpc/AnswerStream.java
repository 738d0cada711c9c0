// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.protocol.WireOutputWriter;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/// The answer to one request as gRPC takes it. It can only be drained, which is what gRPC does with it. Threads: one,
/// an event loop's, which uses it again and again.
final class AnswerStream extends InputStream implements Drainable, KnownLength {
    private final WireOutputWriter writer = new WireOutputWriter();
    private boolean drained;

    /// What gets the answer ready.
    WireOutputWriter writer() {
        drained = false;
        return writer;
    }

    @Override
    public int available() {
        return drained ? 0 : writer.length();
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
        writer.write(target);
        drained = true;
        return writer.length();
    }

    @Override
    public int read() throws IOException {
        throw new IOException("an answer can only be drained");
    }

    @Override
    public int read(byte[] target, int from, int count) throws IOException {
        throw new IOException("an answer can only be drained");
    }
}
