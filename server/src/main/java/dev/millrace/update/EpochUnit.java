// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.util.Locale;

/// What a number that is a time counts, since 1970.
public enum EpochUnit {
    SECONDS(1_000_000),
    MILLIS(1_000),
    MICROS(1);

    private final long micros;

    EpochUnit(long micros) {
        this.micros = micros;
    }

    /// So many of it in microseconds.
    ///
    /// @throws ArithmeticException if a long does not hold them
    long toMicros(long count) {
        return Math.multiplyExact(count, micros);
    }

    /// As [#toMicros(long)], cut off.
    long toMicros(double count) {
        double product = count * micros;
        if (!(Math.abs(product) < Long.MAX_VALUE)) {
            throw new ArithmeticException(count + " " + word());
        }
        return (long) Math.floor(product);
    }

    /// Its name in the configuration file.
    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
