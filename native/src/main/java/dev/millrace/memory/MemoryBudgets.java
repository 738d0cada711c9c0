// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import java.util.List;

/// The budgets of one runtime.
///
/// @param plan what they follow from
/// @param models loaded models
/// @param tensors queues, tensors of requests and what ONNX Runtime is handed
/// @param heap what requests may take on the Java heap: strings, bodies, answers; half of its maximum
public record MemoryBudgets(MemoryPlan plan, MemoryBudget models, MemoryBudget tensors, MemoryBudget heap) {
    private static final int QUEUES = 4;

    /// New budgets, with nothing booked.
    public static MemoryBudgets of(MemoryPlan plan) {
        return new MemoryBudgets(
                plan,
                MemoryBudget.of("the memory of models", plan.models()),
                MemoryBudget.of("the memory of tensors", plan.tensors()),
                MemoryBudget.of("the heap's share for requests", plan.heap() / 2));
    }

    /// The most that one model's queue may take: what several models with large rows leave room for.
    public long queueBytes() {
        return tensors.limit() / QUEUES;
    }

    /// All of them.
    public List<MemoryBudget> all() {
        return List.of(models, tensors, heap);
    }

    /// What a tensor's elements are booked in.
    public static MemoryBudget of(DataType type, MemoryBudget tensors, MemoryBudget heap) {
        return type == DataType.BYTES ? heap : tensors;
    }
}
