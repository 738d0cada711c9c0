// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import java.util.Map;

/// How a session is opened. Immutable.
///
/// @param intraOpThreads threads that one operator may use; 1 means the calling thread alone and no pool
/// @param interOpThreads threads that operators of one run may be spread over; 0: they follow one another
/// @param optimization how far the graph is optimised at load
/// @param arena what becomes of memory that runs have used; where allocations are limited there is one arena for all,
///     and [Arena#NONE] is as [Arena#KEEPS]
/// @param memoryPattern whether a run's allocations are planned from earlier ones of the same shapes
/// @param entries ONNX Runtime's own configuration of a session, by its keys; it takes any and heeds those it knows
public record SessionSettings(
        int intraOpThreads,
        int interOpThreads,
        Optimization optimization,
        Arena arena,
        boolean memoryPattern,
        Map<String, String> entries) {
    /// How far a graph is optimised at load.
    public enum Optimization {
        /// Everything that there is.
        ALL,
        /// All but changes of layout.
        EXTENDED,
        /// What holds for any hardware.
        BASIC,
        /// Nothing.
        NONE
    }

    /// What becomes of memory that runs have used.
    public enum Arena {
        /// It is kept for the next ones.
        KEEPS,
        /// What no run uses is given back after every run.
        SHRINKS,
        /// There is no arena: every allocation is the system's.
        NONE
    }

    /// One thread per run, all optimisations.
    public static final SessionSettings DEFAULT = new SessionSettings(1, true);

    /// Checks the values.
    public SessionSettings {
        if (intraOpThreads < 1) {
            throw new IllegalArgumentException("intraOpThreads must be at least 1, was " + intraOpThreads);
        }
        if (interOpThreads < 0) {
            throw new IllegalArgumentException("interOpThreads must be at least 0, was " + interOpThreads);
        }
        entries = Map.copyOf(entries);
    }

    /// Threads that one run may use, the one that started it included.
    public int threads() {
        return intraOpThreads + Math.max(0, interOpThreads - 1);
    }

    /// Operators one after another, and memory as ONNX Runtime does it by default.
    ///
    /// @param optimize whether the graph is optimised at load
    public SessionSettings(int intraOpThreads, boolean optimize) {
        this(intraOpThreads, 0, optimize ? Optimization.ALL : Optimization.NONE, Arena.KEEPS, true, Map.of());
    }

    /// These settings with another optimisation.
    public SessionSettings withOptimization(Optimization other) {
        return new SessionSettings(intraOpThreads, interOpThreads, other, arena, memoryPattern, entries);
    }
}
