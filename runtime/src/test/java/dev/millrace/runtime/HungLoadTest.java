// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.cache.ResponseCache;
import dev.millrace.lifecycle.ModelLoadException;
import dev.millrace.lifecycle.RepositoryLook;
import dev.millrace.memory.MemoryBudgets;
import dev.millrace.memory.MemoryPlan;
import dev.millrace.memory.NativeMemory;
import dev.millrace.version.TrialRecord;
import dev.millrace.version.VersionLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What happens while a load takes its time: others that wait for it, a runtime that is closed.
class HungLoadTest {
    @TempDir
    private Path root;

    private final long before = NativeMemory.used();
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final Catalog catalog = new Catalog();
    private final AgentPool agents = new AgentPool(1);
    private ModelLifecycle lifecycle;
    private Thread load;

    @BeforeEach
    void beginToLoad() throws InterruptedException {
        ConstantModel.add(root, "m", 1, 10);
        MemoryBudgets budgets = MemoryBudgets.of(MemoryPlan.of(1L << 30));
        LoadedVersion.Host host = new LoadedVersion.Host(
                RuntimeConfig.DEFAULT,
                budgets,
                new ResponseCache(budgets.tensors(), 1 << 20),
                new VersionLoader(Optional.empty(), new TrialRecord(Optional.empty()), 1, Optional.empty(), true),
                agents,
                new Sweeper(System::nanoTime),
                System::nanoTime);
        lifecycle = new ModelLifecycle(
                new RepositoryLook(List.of(root), Map.of()),
                host,
                catalog,
                source -> {
                    begun.countDown();
                    awaitEnd();
                    return source.model().ensemble().isPresent()
                            ? EnsembleLane.load(source, host, catalog)
                            : LoadedVersion.load(source, host);
                },
                Runnable::run);
        load = Thread.ofPlatform().start(() -> {
            try {
                lifecycle.load("m");
            } catch (ModelLoadException e) {
                failure.set(e);
            }
        });
        begun.await();
    }

    private void awaitEnd() {
        try {
            mayEnd.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @AfterEach
    void freeEverything() throws InterruptedException {
        mayEnd.countDown();
        load.join();
        agents.close();
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private void assertNothingIsServed() throws InterruptedException {
        load.join();
        assertThat(failure.get()).isInstanceOf(ModelLoadException.class).hasMessageContaining("clos");
        assertThat(lifecycle.isChanging()).isFalse();
        assertThat(lifecycle.instances()).isEmpty();
        assertThat(catalog.loaded()).isEmpty();
    }

    @Test
    void shouldLoadWhatIsThereWhenItIsItsTurn() throws InterruptedException {
        Thread second = Thread.ofPlatform().start(() -> lifecycle.load("m"));
        while (second.getState() != Thread.State.WAITING) {
            assertThat(second.isAlive()).isTrue();
            Thread.onSpinWait();
        }
        ConstantModel.add(root, "m", 2, 20);

        mayEnd.countDown();
        load.join();
        second.join();

        assertThat(catalog.entry("m").live()).extracting(LoadedVersion::number).containsExactly(2L);
        lifecycle.close(Duration.ofMinutes(1));
    }

    @Test
    void shouldNotLoadAnEnsemblesPartAnewThatCameMeanwhile() throws InterruptedException {
        EnsembleFiles.write(root, "e", false, List.of("model_name: \"m\""));
        Thread second = Thread.ofPlatform().start(() -> lifecycle.load("e"));
        while (second.getState() != Thread.State.WAITING) {
            assertThat(second.isAlive()).isTrue();
            Thread.onSpinWait();
        }

        mayEnd.countDown();
        load.join();
        LoadedVersion first = catalog.entry("m").live().getFirst();
        second.join();

        assertThat(catalog.entry("m").live()).containsExactly(first);
        lifecycle.close(Duration.ofMinutes(1));
    }

    @Test
    void shouldLeaveALoadAloneThatDoesNotEndInTime() throws InterruptedException {
        lifecycle.close(Duration.ofMillis(1));

        assertThat(lifecycle.isChanging()).isTrue();
        assertThat(load.isAlive()).isTrue();
        mayEnd.countDown();
        assertNothingIsServed();
    }

    @Test
    void shouldWaitForALoadThatEndsInTime() throws InterruptedException {
        Thread close = Thread.ofPlatform().start(() -> lifecycle.close(Duration.ofHours(1)));
        while (close.getState() != Thread.State.TIMED_WAITING) {
            assertThat(close.isAlive()).isTrue();
            Thread.onSpinWait();
        }
        assertThat(load.isAlive()).isTrue();
        mayEnd.countDown();
        close.join();
        assertNothingIsServed();
    }
}
