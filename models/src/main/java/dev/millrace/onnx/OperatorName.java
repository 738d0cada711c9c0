// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.util.Comparator;

/// What an operator is called, and by whom. Ordered by domain, then by name.
///
/// @param domain whose operator it is; `ai.onnx` for ONNX's own, which files leave empty
/// @param name its name in that domain
public record OperatorName(String domain, String name) implements Comparable<OperatorName> {
    /// The domain of ONNX's own operators.
    public static final String ONNX = "ai.onnx";

    private static final Comparator<OperatorName> ORDER =
            Comparator.comparing(OperatorName::domain).thenComparing(OperatorName::name);

    /// Calls ONNX's own domain by its name.
    public OperatorName {
        domain = domain.isEmpty() ? ONNX : domain;
    }

    /// Whether it is one of ONNX's own, of this name.
    public boolean isOnnx(String operator) {
        return domain.equals(ONNX) && name.equals(operator);
    }

    @Override
    public int compareTo(OperatorName other) {
        return ORDER.compare(this, other);
    }

    /// The name alone for ONNX's own, else with the domain: `com.microsoft.QGemm`.
    @Override
    public String toString() {
        return domain.equals(ONNX) ? name : domain + "." + name;
    }
}
