// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

/// What one version of a model has booked. Threads: any.
///
/// @param model the model's name
/// @param version the version
/// @param weights the loaded model itself
/// @param tensors its queue and the tensors of its requests
public record VersionMemory(String model, long version, MemoryBudget weights, MemoryBudget tensors) {
    /// Parts of a runtime's budgets for a version, without limits of their own.
    public static VersionMemory of(String model, long version, MemoryBudgets budgets) {
        String name = " of model '" + model + "' version " + version;
        return new VersionMemory(
                model,
                version,
                budgets.models().part("the memory" + name, Long.MAX_VALUE),
                budgets.tensors().part("the tensors" + name, Long.MAX_VALUE));
    }
}
