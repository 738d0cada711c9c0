// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
    private static final long MIB = 1 << 20;

    @Test
    void shouldTakeWhatTheJvmLeaves() {
        MemoryPlan plan = MemoryPlan.of(MemoryPlan.AUTO, 1024 * MIB, 256 * MIB, 64 * MIB);

        assertThat(plan.jvm()).isEqualTo((128 + 8) * MIB);
        assertThat(plan.bytes()).isEqualTo((1024 - 256 - 64 - 136) * MIB);
        assertThat(plan.isOvercommitted()).isFalse();
        assertThat(plan.describe())
                .isEqualTo("native memory 568 MiB (models 355, runs 71, tensors 142), from 1024 MiB less heap 256,"
                        + " direct buffers 64, other JVM 136");
    }

    @Test
    void shouldTakeWhatWasAskedFor() {
        MemoryPlan plan = MemoryPlan.of(800 * MIB, 1024 * MIB, 256 * MIB, 64 * MIB);

        assertThat(plan.bytes()).isEqualTo(800 * MIB);
        assertThat(plan.isOvercommitted()).isTrue();
        assertThat(plan.describe()).contains("as asked for; there are 1024 MiB");
    }

    @Test
    void shouldLeaveALittleWhenTheHeapMayTakeEverything() {
        MemoryPlan plan = MemoryPlan.of(MemoryPlan.AUTO, 1024 * MIB, 1000 * MIB, 0);

        assertThat(plan.bytes()).isEqualTo(64 * MIB);
        assertThat(plan.isOvercommitted()).isTrue();
    }

    @Test
    void shouldDivideWithoutARest() {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 10_000; i++) {
            long total = random.nextLong(64 * MIB, 1L << 45);
            long heap = random.nextLong(total);
            long wanted = random.nextBoolean() ? MemoryPlan.AUTO : random.nextLong(1, total);
            MemoryPlan plan = MemoryPlan.of(wanted, total, heap, random.nextLong(total / 2));
            assertThat(plan.models() + plan.runs() + plan.tensors())
                    .as("%s", plan)
                    .isEqualTo(plan.bytes());
            assertThat(plan.arena()).isEqualTo(plan.bytes() - plan.tensors());
            assertThat(plan.bytes()).isPositive();
            if (!plan.isOvercommitted()) {
                assertThat(plan.bytes() + plan.heap() + plan.direct() + plan.jvm())
                        .isLessThanOrEqualTo(total);
            }
        }
    }

    @Test
    void shouldReadWhatTheJvmKnows() {
        MemoryPlan plan = MemoryPlan.of(MemoryPlan.AUTO);

        assertThat(plan.heap()).isEqualTo(Runtime.getRuntime().maxMemory());
        assertThat(plan.total()).isGreaterThan(64 * MIB);
        assertThat(plan.direct()).isNotNegative();
    }
}
