// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.manage.ManagementException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class ModelChangesTest {
    private static final Duration PATIENT = Duration.ofSeconds(60);

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static <T> T join(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    @Test
    void shouldChangeOneAfterTheOtherOnAThreadOfItsOwn() {
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        ModelChanges changes = new ModelChanges();
        CountDownLatch begin = new CountDownLatch(1);
        List<CompletionStage<String>> all = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            int number = i;
            all.add(changes.submit(() -> {
                await(begin);
                order.add(number);
                return Thread.currentThread().getName();
            }));
        }
        begin.countDown();

        assertThat(all).allSatisfy(stage -> assertThat(join(stage)).isEqualTo("millrace-models"));
        assertThat(order).isSorted().hasSize(10);
        changes.close(PATIENT);
    }

    @Test
    void shouldRefuseMoreThanMayWait() {
        ModelChanges changes = new ModelChanges();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        List<CompletionStage<Integer>> all = new ArrayList<>();
        all.add(changes.submit(() -> {
            begun.countDown();
            await(end);
            return 0;
        }));
        await(begun);
        for (int i = 1; i <= ModelChanges.MAX_WAITING; i++) {
            int number = i;
            all.add(changes.submit(() -> number));
        }

        assertThatThrownBy(() -> join(changes.submit(() -> 0)))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOf(ManagementException.class)
                .hasMessageContaining("16 changes of models wait already");
        end.countDown();
        for (int i = 0; i < all.size(); i++) {
            assertThat(join(all.get(i))).isEqualTo(i);
        }
        changes.close(PATIENT);
    }

    @Test
    void shouldTellWhatWentWrongAndGoOn() {
        ModelChanges changes = new ModelChanges();

        assertThatThrownBy(() -> join(changes.submit(() -> {
                    throw ManagementException.invalid("no");
                })))
                .cause()
                .hasMessage("no");
        assertThatThrownBy(() -> join(changes.submit(() -> {
                    throw new OutOfMemoryError("a test's");
                })))
                .cause()
                .hasMessageContaining("not enough memory");
        assertThat(join(changes.submit(() -> 7))).isEqualTo(7);
        changes.close(PATIENT);
    }

    @Test
    void shouldFinishTheChangeInProgressAndRefuseOthersWhenItCloses() throws InterruptedException {
        ModelChanges changes = new ModelChanges();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        CompletionStage<Integer> inProgress = changes.submit(() -> {
            begun.countDown();
            await(end);
            return 1;
        });
        CompletionStage<Integer> waiting = changes.submit(() -> 2);
        await(begun);
        changes.close();
        CompletionStage<Integer> late = changes.submit(() -> 3);
        Thread closing = Thread.ofPlatform().start(() -> changes.close(PATIENT));
        end.countDown();
        closing.join();

        assertThat(join(inProgress)).isEqualTo(1);
        for (CompletionStage<Integer> refused : List.of(waiting, late)) {
            assertThatThrownBy(() -> join(refused)).cause().hasMessageContaining("about to stop");
        }
    }
}
