// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

/// What one version of a model has booked. Threads: any.
///
/// @param model the model's name
/// @param version the version
/// @param weights the loaded model itself
/// @param tensors its queue and the tensors of its requests
public record VersionMemory(String model, long version, MemoryBudget weights, MemoryBudget tensors) {
    /// Parts of a runtime's budgets for a version that is to be loaded.
    ///
    /// @param limit the most that both may take together, in bytes
    public static VersionMemory of(String model, long version, MemoryBudgets budgets, long limit) {
        String name = " of model '" + model + "' version " + version;
        return new VersionMemory(
                model,
                version,
                budgets.models().part("the memory" + name, limit),
                budgets.tensors().part("the tensors" + name, limit));
    }

    /// The same for the version when it is loaded: its tensors have what the model itself has left of the limit.
    public VersionMemory loaded(MemoryBudgets budgets) {
        long left = Math.max(0, weights.limit() - weights.used());
        return new VersionMemory(model, version, weights, budgets.tensors().part(tensors.name(), left));
    }
}
