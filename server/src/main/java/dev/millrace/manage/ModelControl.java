// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/// Changes models when somebody asks for it, who is known to be allowed to.
///
/// Threads: any. What cannot be asked for at all is a [ManagementException] at once; all else is done by another
/// thread, and so fails with a [ManagementException] later.
public interface ModelControl {
    /// Whether models are loaded and unloaded by request.
    boolean takesLoads();

    /// The models that could be loaded, whether they are or not. It looks at the file system; nothing where models are
    /// not loaded by request.
    List<String> loadable();

    /// Loads a model, or loads it anew; ends when it is ready. What serves goes on until then, and if that fails.
    ///
    /// @param parameters read by the thread that loads; they may be large
    CompletionStage<Void> load(String model, Supplier<LoadParameters> parameters);

    /// Unloads a model; may end before its last request is answered.
    ///
    /// @param dependents whether the models that are only there for it go, too
    CompletionStage<Void> unload(String model, boolean dependents);

    /// Serves what was served before the last change of a model.
    CompletionStage<Void> rollback(String model);

    /// Gives a version another name, by which it can be asked.
    CompletionStage<Void> alias(String model, String alias, long version);

    /// Takes such a name away.
    CompletionStage<Void> removeAlias(String model, String alias);
}
