// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

/// How a session is opened.
///
/// @param intraOpThreads threads that one run may use; 1 means the calling thread alone and no pool
/// @param optimize whether the graph is optimised at load
public record SessionSettings(int intraOpThreads, boolean optimize) {
    /// One thread per run, all optimisations.
    public static final SessionSettings DEFAULT = new SessionSettings(1, true);

    /// Checks the values.
    public SessionSettings {
        if (intraOpThreads < 1) {
            throw new IllegalArgumentException("intraOpThreads must be at least 1, was " + intraOpThreads);
        }
    }
}
