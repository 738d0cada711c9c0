// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;

/// The hash function murmur3_x86_32, as scikit-learn's `murmurhash3_32` and Spark's have it.
/// Threads: stateless.
public final class Murmur3 {
    private static final int C1 = 0xcc9e2d51;
    private static final int C2 = 0x1b873593;

    private Murmur3() {}

    /// The hash of some bytes.
    @Hot
    public static int hash(byte[] bytes, int offset, int length, int seed) {
        int hash = seed;
        int blocks = offset + (length & ~3);
        for (int i = offset; i < blocks; i += 4) {
            hash = mixed(hash, word(bytes, i, 4));
        }
        int rest = length & 3;
        if (rest > 0) {
            hash ^= scrambled(word(bytes, blocks, rest));
        }
        return finished(hash, length);
    }

    /// The hash of a number's eight bytes, the lowest first.
    @Hot
    static int hash(long value, int seed) {
        return finished(mixed(mixed(seed, (int) value), (int) (value >>> 32)), Long.BYTES);
    }

    @Hot
    private static int word(byte[] bytes, int offset, int count) {
        int word = 0;
        for (int i = 0; i < count; i++) {
            word |= (bytes[offset + i] & 0xff) << (8 * i);
        }
        return word;
    }

    @Hot
    private static int scrambled(int word) {
        return Integer.rotateLeft(word * C1, 15) * C2;
    }

    @Hot
    private static int mixed(int hash, int word) {
        return Integer.rotateLeft(hash ^ scrambled(word), 13) * 5 + 0xe6546b64;
    }

    @Hot
    private static int finished(int hash, int length) {
        int all = hash ^ length;
        all = (all ^ all >>> 16) * 0x85ebca6b;
        all = (all ^ all >>> 13) * 0xc2b2ae35;
        return all ^ all >>> 16;
    }
}
