// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;

/// The embedded store does what is asked of every store. It grows, and takes checkpoints all the
/// time.
class EmbeddedStoreTest extends FeatureStoreContract {
    @TempDir
    Path temp;

    private int stores;

    @AfterAll
    static void nothingIsLeft() {
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }

    @Override
    FeatureStore open(ViewSchema... schemas) throws IOException {
        StoreOptions options = new StoreOptions(Durability.PROCESS, 8, 1 << 16);
        return EmbeddedStore.open(temp.resolve("store" + stores++), options, schemas);
    }

    @Override
    FeatureStore another(ViewSchema schema) throws IOException {
        return open(schema);
    }
}
