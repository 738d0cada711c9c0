// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

/// How long to measure. Rounds go through all cases again in new processes, so that whatever else the machine does
/// falls on all of them, and so that there is a spread to show.
///
/// @param name what a report calls it
/// @param rounds times that every latency case is measured
/// @param warmups JMH iterations before measuring, per process
/// @param iterations JMH iterations measured, per process
/// @param iterationMillis how long one is
/// @param repeats times that every throughput scenario is measured
/// @param repeatMillis how long one is
/// @param httpRounds times that both HTTP servers are loaded, and started to see how soon they answer
/// @param httpSeconds how long a load is
/// @param memorySeconds how long the servers are loaded before their memory is looked at
record Effort(
        String name,
        int rounds,
        int warmups,
        int iterations,
        int iterationMillis,
        int repeats,
        int repeatMillis,
        int httpRounds,
        int httpSeconds,
        int memorySeconds) {
    static final Effort FULL = new Effort("full", 5, 2, 3, 1000, 7, 1000, 5, 5, 60);
    /// For one model that somebody waits for.
    static final Effort THOROUGH = new Effort("thorough", 3, 2, 3, 500, 0, 0, 0, 0, 0);
    /// The same, to try it out.
    static final Effort BRIEF = new Effort("brief", 1, 2, 2, 300, 0, 0, 0, 0, 0);

    static final Effort QUICK = new Effort("quick", 2, 2, 2, 500, 3, 500, 3, 2, 10);
}
