// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

/// Shows the readers of requests to fuzzers in other packages.
public final class FeatureRequests {
    private FeatureRequests() {}

    /// Reads a request from the wire.
    public static void readWire(byte[] message) {
        WireFeatureRequest.request(message);
    }

    /// Reads a request in JSON.
    public static void readJson(byte[] body) {
        FeatureRequestReader.request(body);
    }
}
