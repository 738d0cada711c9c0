// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

/// Says that the row is rejected for a feature.
final class Rejected extends RuntimeException {
    @java.io.Serial
    private static final long serialVersionUID = 1L;

    Rejected(String name) {
        super(name);
    }
}
