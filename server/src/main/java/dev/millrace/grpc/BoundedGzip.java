// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.runtime.Outcome;
import io.grpc.Decompressor;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

/// Decompresses messages, of which no more comes out than may come uncompressed. Threads: any.
///
/// @param limits what a message may have
record BoundedGzip(Limits limits) implements Decompressor {
    @Override
    public String getMessageEncoding() {
        return "gzip";
    }

    @Override
    public InputStream decompress(InputStream compressed) throws IOException {
        return new Bounded(new GZIPInputStream(compressed), limits);
    }

    /// Ends with an error where there is too much. Threads: one.
    private static final class Bounded extends FilterInputStream {
        private final Limits limits;
        private long left;

        Bounded(InputStream plain, Limits limits) {
            super(plain);
            this.limits = limits;
            this.left = limits.get(Limit.MAX_BODY_BYTES);
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            take(value < 0 ? 0 : 1);
            return value;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            int count = super.read(target, offset, length);
            take(Math.max(0, count));
            return count;
        }

        @Override
        public long skip(long count) throws IOException {
            long skipped = super.skip(count);
            take(skipped);
            return skipped;
        }

        @Override
        public boolean markSupported() {
            return false;
        }

        private void take(long count) {
            left -= count;
            if (left < 0) {
                String came = "a message of more than " + limits.get(Limit.MAX_BODY_BYTES) + " bytes when decompressed";
                throw GrpcStatus.of(Outcome.TOO_LARGE)
                        .withDescription(limits.over(Limit.MAX_BODY_BYTES, came))
                        .asRuntimeException();
            }
        }
    }
}
