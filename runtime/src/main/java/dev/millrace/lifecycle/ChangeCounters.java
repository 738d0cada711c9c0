// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import dev.millrace.lifecycle.ChangeStatistics.Failure;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.version.GoldenMismatch;
import dev.millrace.version.TrialFailed;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Counts what is done to change models. Threads: any.
public final class ChangeCounters {
    private final Map<String, Counts> models = new TreeMap<>();

    private static final class Counts {
        private long loads;
        private long loadNanos;
        private long swaps;
        private final Map<Failure, Long> failures = new EnumMap<>(Failure.class);
    }

    private Counts of(String model) {
        return models.computeIfAbsent(model, _ -> new Counts());
    }

    /// A version was loaded.
    public synchronized void loaded(String model, long nanos) {
        of(model).loads++;
        of(model).loadNanos += nanos;
    }

    /// Versions are served from now on that were not, instead of others.
    public synchronized void swapped(String model) {
        of(model).swaps++;
    }

    /// So many versions cannot be loaded because of how they are configured.
    public synchronized void misconfigured(String model, int versions) {
        of(model).failures.merge(Failure.CONFIGURATION, (long) versions, Long::sum);
    }

    /// A version could not be loaded.
    ///
    /// @return why, in a sentence
    public synchronized String failed(VersionSource source, Throwable problem) {
        of(source.model().name()).failures.merge(kind(problem), 1L, Long::sum);
        Object what = source.model().ensemble().isPresent()
                ? "the ensemble"
                : source.model().file(source.version());
        String reason = String.valueOf(problem.getMessage());
        // Who opens a file begins with its name.
        return "cannot load " + (reason.startsWith(what + ": ") ? reason : what + ": " + reason);
    }

    private static Failure kind(Throwable problem) {
        return switch (problem) {
            case ContractBreach _ -> Failure.CONTRACT;
            case GoldenMismatch _ -> Failure.GOLDENS;
            case TrialFailed trial -> kind(trial.kind());
            case MemoryExceededException _, OutOfMemoryError _ -> Failure.MEMORY;
            case IllegalArgumentException _ -> Failure.CONFIGURATION;
            default -> Failure.MODEL;
        };
    }

    private static Failure kind(TrialFailed.Kind trial) {
        return switch (trial) {
            case REFUSED -> Failure.MODEL;
            case GOLDEN -> Failure.GOLDENS;
            case CRASHED -> Failure.CRASHED;
            case HUNG -> Failure.HUNG;
            case MEMORY -> Failure.MEMORY;
            case NOT_TRIED -> Failure.NOT_TRIED;
        };
    }

    /// What was counted so far, by name.
    public synchronized List<ChangeStatistics> statistics() {
        return models.entrySet().stream()
                .map(model -> new ChangeStatistics(
                        model.getKey(),
                        model.getValue().loads,
                        model.getValue().loadNanos,
                        model.getValue().failures,
                        model.getValue().swaps))
                .toList();
    }
}
