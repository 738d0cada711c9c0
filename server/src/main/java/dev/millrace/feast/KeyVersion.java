// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

import java.util.Arrays;

/// How entities are written as keys, Feast's `entity_key_serialization_version`.
public enum KeyVersion {
    /// Of stores that were not written anew since: without the number of keys and their lengths.
    V2(2),
    /// What Feast writes today.
    V3(3);

    private final int number;

    KeyVersion(int number) {
        this.number = number;
    }

    /// The version of a number.
    ///
    /// @throws IllegalArgumentException if it is not read
    public static KeyVersion of(long number) {
        return Arrays.stream(values())
                .filter(version -> version.number == number)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "entity_key_serialization_version " + number + " came, expected 3, or 2 for old stores"));
    }
}
