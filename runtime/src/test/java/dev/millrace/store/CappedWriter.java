// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.nio.file.Path;

/// A process whose files may not become larger than some limit: it writes to a store until that
/// fails, and then goes on. What it finds wrong is an exception.
final class CappedWriter {
    private CappedWriter() {}

    /// Writes until the log cannot grow, then has a checkpoint taken, and writes once more.
    ///
    /// @param arguments the folder
    public static void main(String[] arguments) throws IOException {
        StoreOptions options = new StoreOptions(Durability.PROCESS, 8, 1 << 30);
        try (EmbeddedStore store = EmbeddedStore.open(Path.of(arguments[0]), options, Samples.TEN);
                ViewReader reader = store.view("ten").reader()) {
            WriteBatch batch = new WriteBatch();
            long number = 0;
            String problem = "";
            while (problem.isEmpty()) {
                number++;
                fill(batch, store, number);
                try {
                    store.write(batch);
                } catch (IOException e) {
                    problem = e.getMessage();
                }
            }
            require(reader.find(1) && reader.row().eventTime() == number - 1, "what failed is seen");
            for (int again = 0; again < 3; again++) {
                try {
                    store.write(batch);
                    require(false, "it did not fail again");
                } catch (IOException _) {
                    // As expected.
                }
            }
            store.checkpoint();
            store.write(batch);
            require(reader.find(1) && reader.row().eventTime() == number, "what was written is not seen");
            System.out.println(number + " " + problem);
        }
    }

    private static void fill(WriteBatch batch, EmbeddedStore store, long number) {
        batch.clear();
        for (long key = 0; key < 50; key++) {
            Samples.addTen(batch, store.view("ten"), key, number);
        }
    }

    private static void require(boolean right, String problem) {
        if (!right) {
            throw new IllegalStateException(problem);
        }
    }
}
