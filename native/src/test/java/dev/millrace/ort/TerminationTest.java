// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NoLeaks;
import dev.millrace.memory.OffHeapRegion;
import dev.millrace.memory.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(NoLeaks.class)
class TerminationTest {
    /// More steps than could be done in years.
    private static final long FOREVER = 1L << 50;

    @ParameterizedTest
    @EnumSource
    void shouldEndALongRunOfTensorsAndNotTheNext(OrtRuntime.Binding binding) throws Exception {
        try (OnnxSession session = TestModels.open("loop", binding);
                TensorRunner runner = session.tensorRunner();
                Tensor steps = new Tensor(MemoryTag.CALL, DataType.INT64).reshape(1, 1);
                Tensor done = new Tensor(MemoryTag.CALL, DataType.INT64)) {
            for (int round = 0; round < 2; round++) {
                steps.setLong(0, FOREVER);
                terminateUntilItEnds(
                        () -> runner.run(new Tensor[] {steps}, new Tensor[] {done}),
                        () -> runner.terminate(runner.running()));
                runner.terminate(runner.running());
                steps.setLong(0, 5);
                runner.run(new Tensor[] {steps}, new Tensor[] {done});
                assertThat(done.getLong(0)).isEqualTo(5);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldEndALongRunOfRowsAndNotTheNext(OrtRuntime.Binding binding) throws Exception {
        try (OnnxSession session = TestModels.open("loop", binding);
                OffHeapRegion steps = OffHeapRegion.allocate(MemoryTag.RING, 16);
                OffHeapRegion done = OffHeapRegion.allocate(MemoryTag.RING, 16);
                RowRunner runner = session.rowRunner(
                        List.of(new RowTensor("steps", DataType.INT64, List.of(1L), steps)),
                        List.of(new RowTensor("done", DataType.INT64, List.of(1L), done)))) {
            for (int round = 0; round < 2; round++) {
                steps.segment().setAtIndex(ValueLayout.JAVA_LONG, 1, FOREVER);
                terminateUntilItEnds(() -> runner.run(0, 2), () -> runner.terminate(runner.running()));
                runner.terminate(runner.running());
                steps.segment().setAtIndex(ValueLayout.JAVA_LONG, 1, 4);
                runner.run(0, 2);
                assertThat(done.segment().getAtIndex(ValueLayout.JAVA_LONG, 1)).isEqualTo(4);
            }
        }
    }

    private static void terminateUntilItEnds(Runnable run, Runnable terminate) throws InterruptedException {
        AtomicBoolean ended = new AtomicBoolean();
        Thread terminator = Thread.ofPlatform().start(() -> {
            while (!ended.get()) {
                terminate.run();
                Thread.yield();
            }
        });
        try {
            assertThatThrownBy(run::run).isInstanceOf(OrtFailure.class).hasMessageContaining("terminate");
        } finally {
            ended.set(true);
            terminator.join();
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotHitShortRunsThatFollow(OrtRuntime.Binding binding) throws Exception {
        try (OnnxSession session = TestModels.open("identity_rank0", binding);
                TensorRunner runner = session.tensorRunner();
                Tensor input = new Tensor(MemoryTag.CALL, DataType.FP32).reshape();
                Tensor output = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            AtomicBoolean stop = new AtomicBoolean();
            Thread terminator = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    runner.terminate(runner.running());
                }
            });
            int terminated = 0;
            for (int i = 0; i < 2000; i++) {
                input.setFloat(0, i);
                try {
                    runner.run(new Tensor[] {input}, new Tensor[] {output});
                    assertThat(output.getFloat(0)).isEqualTo(i);
                } catch (OrtFailure e) {
                    terminated++;
                }
            }
            stop.set(true);
            terminator.join();
            assertThat(terminated).isLessThanOrEqualTo(2000);
            runner.run(new Tensor[] {input}, new Tensor[] {output});
            assertThat(output.getFloat(0)).isEqualTo(1999);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldDoNothingWhenNoRunIsInProgress(OrtRuntime.Binding binding) {
        TensorRunner runner;
        try (OnnxSession session = TestModels.open("identity_rank0", binding);
                Tensor input = new Tensor(MemoryTag.CALL, DataType.FP32).reshape();
                Tensor output = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            runner = session.tensorRunner();
            runner.terminate(runner.running());
            runner.run(new Tensor[] {input}, new Tensor[] {output});
            assertThat(output.hasShape()).isTrue();
            runner.close();
        }
        runner.terminate(runner.running());
    }

    @Test
    void shouldNotTerminateALaterRunThanTheOneLookedAt() {
        Termination termination = new Termination();
        AtomicInteger terminations = new AtomicInteger();
        assertThat(termination.running()).isEqualTo(Termination.NONE);
        assertThat(termination.terminate(Termination.NONE, terminations::incrementAndGet))
                .isFalse();

        termination.begin();
        long first = termination.running();
        assertThat(termination.end()).isFalse();
        termination.begin();

        assertThat(termination.running()).isGreaterThan(first);
        assertThat(termination.terminate(first, terminations::incrementAndGet)).isFalse();
        assertThat(termination.end()).isFalse();
        assertThat(terminations).hasValue(0);
    }

    @Test
    void shouldLetARunBeTerminatedOnce() {
        Termination termination = new Termination();
        AtomicInteger terminations = new AtomicInteger();
        Runnable terminate = () -> termination.terminate(termination.running(), terminations::incrementAndGet);

        terminate.run();
        assertThat(terminations).hasValue(0);
        for (int run = 1; run <= 3; run++) {
            termination.begin();
            terminate.run();
            terminate.run();
            assertThat(terminations).hasValue(run);
            assertThat(termination.end()).isTrue();
            terminate.run();
            assertThat(terminations).hasValue(run);
        }
        termination.begin();
        assertThat(termination.end()).isFalse();
    }
}
