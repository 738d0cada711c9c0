// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;

/// A process that writes to a store until it is killed, and says which batches were acknowledged.
final class KilledWriter {
    private KilledWriter() {}

    /// Writes batch after batch from where the store is.
    ///
    /// @param arguments the folder, the durability, and a seed
    public static void main(String[] arguments) throws IOException {
        // Small, so that it takes checkpoints and grows all the time.
        StoreOptions options = new StoreOptions(Durability.valueOf(arguments[1]), 8, 1 << 15);
        long seed = Long.parseLong(arguments[2]);
        EmbeddedStore store = EmbeddedStore.open(Path.of(arguments[0]), options, Samples.EVERY, Samples.TEN);
        say("open");
        WriteBatch batch = new WriteBatch();
        while (true) {
            long next = store.statistics().sequence() + 1;
            fill(batch, store, seed, next);
            if (store.write(batch) != next) {
                throw new IllegalStateException("batch " + next + " got another number");
            }
            say(Long.toString(next));
        }
    }

    private static void say(String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.US_ASCII);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    /// What the batch of a number has: always the same.
    static void fill(WriteBatch batch, FeatureStore store, long seed, long number) {
        SplittableRandom random = new SplittableRandom(seed * 1_000_003 + number);
        batch.clear();
        AnyRows.add(batch, store.view("every"), random, random.nextInt(20));
        for (int i = random.nextInt(1, 20); i > 0; i--) {
            Samples.addTen(batch, store.view("ten"), random.nextLong(number * 2), number);
        }
    }
}
