// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

/// A version takes or gives other tensors than the one that it is to replace.
public final class ContractBreach extends IllegalArgumentException {
    @java.io.Serial
    private static final long serialVersionUID = 1L;

    /// @param message what differs
    public ContractBreach(String message) {
        super(message);
    }
}
