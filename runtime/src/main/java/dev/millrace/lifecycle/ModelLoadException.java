// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

/// A change of what is served that did not come about, or not wholly. Whatever was served still is.
public final class ModelLoadException extends RuntimeException {
    @java.io.Serial
    private static final long serialVersionUID = 1L;

    /// What kept it from happening.
    public enum Problem {
        /// There is no such model, version or alias.
        NOT_FOUND,
        /// The model, or what was asked for, is wrong.
        FAILED,
        /// Not now: the runtime is closing.
        BUSY
    }

    private final Problem problem;
    /// Null if nothing of what was to be loaded is served.
    private final String served;

    /// A change that did not come about.
    public ModelLoadException(Problem problem, String message) {
        this(problem, message, null);
    }

    private ModelLoadException(Problem problem, String message, String served) {
        super(message);
        this.problem = problem;
        this.served = served;
    }

    /// The same of a model whose other versions, those that could be loaded, are served from now on.
    public ModelLoadException serving(String model) {
        return new ModelLoadException(problem, getMessage(), model);
    }

    /// Whether a model is served by some of the versions that were to be loaded, though not by all.
    public boolean isServing(String model) {
        return model.equals(served);
    }

    /// What kept it from happening.
    public Problem problem() {
        return problem;
    }

    /// A change that comes too late.
    public static ModelLoadException closing(String model) {
        return new ModelLoadException(Problem.BUSY, "model '" + model + "': the runtime is closing");
    }
}
