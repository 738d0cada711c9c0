// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import dev.millrace.memory.Hot;
import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.Outcome;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.TimeUnit;

/// Which outcome becomes which status of gRPC. Threads: stateless.
final class GrpcStatus {
    /// How long to wait before trying again, in milliseconds: what gRPC's own clients look for when they retry.
    static final Metadata.Key<String> RETRY_AFTER_MILLIS =
            Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

    private GrpcStatus() {}

    /// The one place where an outcome becomes a status.
    @Hot
    static Status of(Outcome outcome) {
        return switch (outcome) {
            case OK -> Status.OK;
            case INVALID -> Status.INVALID_ARGUMENT;
            case NOT_FOUND -> Status.NOT_FOUND;
            case TOO_LARGE, OVERLOADED -> Status.RESOURCE_EXHAUSTED;
            case CANCELLED -> Status.CANCELLED;
            case EXPIRED -> Status.DEADLINE_EXCEEDED;
            case FAILED -> Status.INTERNAL;
            case UNAVAILABLE -> Status.UNAVAILABLE;
        };
    }

    /// The status for a request that cannot be answered.
    static Status of(Refusal refusal) {
        return refusal.isUnsupported() ? Status.UNIMPLEMENTED : of(refusal.outcome());
    }

    /// Trailers that say when to try again; without anything if that is not known.
    ///
    /// @param nanos 0 if it is not known
    static Metadata retryAfter(long nanos) {
        Metadata trailers = new Metadata();
        if (nanos > 0) {
            trailers.put(RETRY_AFTER_MILLIS, Long.toString(Math.ceilDiv(nanos, TimeUnit.MILLISECONDS.toNanos(1))));
        }
        return trailers;
    }
}
