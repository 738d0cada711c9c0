// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.util.List;

/// A feature specification that is wrong, or has what something that is made of it cannot do; says
/// everything that was found, each with its place, what came and what was expected.
public final class FeatureSpecException extends RuntimeException {
    @java.io.Serial
    private static final long serialVersionUID = 1L;

    private final transient List<String> problems;

    /// @param problems one at least, in the order of the file
    public FeatureSpecException(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    /// One sentence each, `features.yaml:LINE:COLUMN: field: what came, what was expected`, in the
    /// order of the file.
    public List<String> problems() {
        return problems == null ? List.of(getMessage().split("\n")) : problems;
    }
}
