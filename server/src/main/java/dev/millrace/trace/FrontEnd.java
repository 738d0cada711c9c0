// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

/// What a traced request came by, which gives its first and last times their names.
public enum FrontEnd {
    /// HTTP of any version.
    HTTP("HTTP_RECV_START", "HTTP_RECV_END", "HTTP_SEND_START", "HTTP_SEND_END"),
    /// gRPC, a single call or a stream.
    GRPC("GRPC_WAITREAD_START", "GRPC_WAITREAD_END", "GRPC_SEND_START", "GRPC_SEND_END");

    private final String receiving;
    private final String received;
    private final String sending;
    private final String sent;

    FrontEnd(String receiving, String received, String sending, String sent) {
        this.receiving = receiving;
        this.received = received;
        this.sending = sending;
        this.sent = sent;
    }

    String receiving() {
        return receiving;
    }

    String received() {
        return received;
    }

    String sending() {
        return sending;
    }

    String sent() {
        return sent;
    }
}
