// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

/// How a feature of a row came to its value. Where several are true the last of them here is told.
public enum FeatureStatus {
    /// From values that were there.
    PRESENT,
    /// A number was outside of its bounds and put to the nearest.
    CLIPPED,
    /// A value was not as it has to be and another took its place.
    DEFAULTED,
    /// A value was null or counts as missing.
    NULL_VALUE,
    /// Stored values are older than their view allows.
    OUTSIDE_MAX_AGE,
    /// The store has nothing about the entity.
    NOT_FOUND,
    /// The store could not be asked, whatever was done about it.
    UNAVAILABLE,
    /// A value is not as it has to be, and is used as it is.
    INVALID;

    /// All, without a copy.
    static final FeatureStatus[] ALL = values();

    /// Those that make a row degraded, a bit for the code of each.
    static final int DEGRADING =
            DEFAULTED.bit() | OUTSIDE_MAX_AGE.bit() | NOT_FOUND.bit() | UNAVAILABLE.bit() | INVALID.bit();

    /// Its place here.
    final byte code;

    FeatureStatus() {
        code = (byte) ordinal();
    }

    private int bit() {
        return 1 << code;
    }
}
