// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever is loaded, swapped, rolled back, unloaded, renamed and asked for, in any order: each accepted request ends
/// once and is counted where it ended, by a version that was served when it was accepted; it is only refused if nothing
/// stood for what it asked for; nothing is run that is closed; and no native memory is left. The same for ensembles,
/// whose models come and go one by one: each step is answered by a version that was served when the step was submitted,
/// and a request only fails for want of a model that was not. Without threads, on a clock that is moved by hand.
class LifecycleLawTest {
    @TempDir
    private Path root;

    /// What happened in all cases together: each has to be there, or nothing was tested.
    private final Map<String, Integer> seen = new HashMap<>();

    @Test
    void shouldKeepTheLawsInAnySequence() throws IOException {
        check(0, 60);
    }

    @Test
    @Tag("slow")
    void shouldKeepTheLawsInManySequences() throws IOException {
        check(60, 1500);
    }

    private void check(long first, long end) throws IOException {
        for (long seed = first; seed < end; seed++) {
            long before = NativeMemory.used();
            LifecycleWorld world =
                    new LifecycleWorld(Files.createDirectories(root.resolve("seed-" + seed)), seed, seen);
            try {
                world.live();
                world.end();
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed + ", step " + world.step(), e);
            }
            assertThat(NativeMemory.used()).as("seed %d", seed).isEqualTo(before);
        }
        assertThat(seen)
                .containsKeys(
                        "load",
                        "loaded",
                        "load failed",
                        "unload",
                        "rollback",
                        "rolled back",
                        "alias",
                        "moved",
                        "kept",
                        "OK",
                        "EXPIRED",
                        "CANCELLED",
                        "refused NOT_FOUND",
                        "refused UNAVAILABLE",
                        "reopened",
                        "OK through 2",
                        "OK through 3",
                        "step UNAVAILABLE",
                        "step OVERLOADED",
                        "unload with dependents",
                        "kept a dependent",
                        "swapped under an ensemble");
    }
}
