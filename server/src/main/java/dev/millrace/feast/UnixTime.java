// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

/// A time among Feast's values, in seconds since 1970.
public record UnixTime(long seconds) {
    /// What stands for no time.
    static final long NONE = Long.MIN_VALUE;
}
