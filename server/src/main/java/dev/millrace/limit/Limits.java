// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import java.util.Arrays;

/// A value for every [Limit]. Immutable; start from [#DEFAULT] and change what matters.
public final class Limits {
    /// Every limit as it is unless something else is asked for.
    public static final Limits DEFAULT =
            new Limits(Arrays.stream(Limit.values()).mapToLong(Limit::standard).toArray());

    private final long[] values;

    private Limits(long[] values) {
        this.values = values;
    }

    /// The value of a limit, in the limit's unit.
    public long get(Limit limit) {
        return values[limit.ordinal()];
    }

    /// The value of a limit that is an integer of 32 bits.
    public int count(Limit limit) {
        return Math.toIntExact(get(limit));
    }

    /// These values with another one.
    ///
    /// @param value in the limit's unit; 0 turns a time limit off
    /// @throws IllegalArgumentException if the limit cannot have that value
    public Limits with(Limit limit, long value) {
        limit.check(value);
        long[] changed = values.clone();
        changed[limit.ordinal()] = value;
        return new Limits(changed);
    }

    /// What the sender of too much is told.
    ///
    /// @param came what there was, as the beginning of a sentence
    public String over(Limit limit, String came) {
        return came + ", at most " + get(limit) + " are allowed (" + limit.option() + ")";
    }

    /// What somebody is told who took too long.
    ///
    /// @param what did not happen, as the beginning of a sentence
    public String late(Limit limit, String what) {
        return what + " within " + limit.shown(get(limit)) + " (" + limit.option() + ")";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Limits that && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Limit limit : Limit.values()) {
            text.append(text.isEmpty() ? "" : ", ")
                    .append(limit.label())
                    .append('=')
                    .append(get(limit));
        }
        return text.toString();
    }
}
