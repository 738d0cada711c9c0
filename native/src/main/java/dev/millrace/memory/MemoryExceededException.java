// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.io.Serial;
import java.util.Locale;

/// Memory was asked for that a [MemoryBudget] does not have; the message has the numbers. It has no stack trace: it is
/// about the amount, not about the program, and it is thrown when there is least to spare.
public final class MemoryExceededException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final long bytes;
    private final long most;

    MemoryExceededException(MemoryBudget budget, MemoryTag tag, long bytes) {
        this(bytes, budget.limit(), budget.used(), budget.lasting(), budget.name(), tag.name());
    }

    private MemoryExceededException(long bytes, long limit, long used, long lasting, String budget, String tag) {
        super(
                bytes + " bytes for " + tag.toLowerCase(Locale.ROOT) + " do not fit into " + budget + ": " + used
                        + " of " + limit + " bytes are used, " + lasting + " of them as long as the models are served",
                null,
                false,
                false);
        this.bytes = bytes;
        this.most = limit - lasting;
    }

    private MemoryExceededException(MemoryExceededException problem, String details) {
        super(problem.getMessage() + " (" + details + ")", null, false, false);
        this.bytes = problem.bytes;
        this.most = problem.most;
    }

    /// The same with more to its message.
    ///
    /// @param details what the bytes are made up of
    public MemoryExceededException with(String details) {
        return new MemoryExceededException(this, details);
    }

    /// How many bytes were asked for.
    public long bytes() {
        return bytes;
    }

    /// Whether they could never fit: not even if everything were free but what stays while the models are served, and
    /// what whoever asked holds already.
    ///
    /// @param held bytes that whoever asked holds
    public boolean isHopeless(long held) {
        return held > most || bytes > most - held;
    }
}
