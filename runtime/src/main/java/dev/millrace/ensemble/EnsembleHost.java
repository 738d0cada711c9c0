// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ensemble;

/// Whoever has requests to an ensemble answered. Threads: any.
public interface EnsembleHost {
    /// The deadline of an instance's request.
    long deadlineNanos(int instance);

    /// The priority of an instance's request.
    int priority(int instance);

    /// An instance's request is answered, or has failed.
    void completed(int instance, Throwable failure);

    /// What a request ends with that is terminated.
    RuntimeException terminated();

    /// From here on this thread submits requests to steps, which may wait until [#leave()] before anybody is asked to
    /// run them.
    ///
    /// @return false if that is so already; then [#leave()] must not be called
    boolean enter();

    /// Has run what was submitted since [#enter()], by this thread or by others.
    void leave();
}
