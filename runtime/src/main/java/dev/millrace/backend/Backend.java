// SPDX-License-Identifier: Apache-2.0
package dev.millrace.backend;

import dev.millrace.memory.Hot;

/// How the slots of a lane become a run of its model.
///
/// Ownership of what a slot holds: the claimer's from claim to publish, the lane's from then to release.
public interface Backend extends AutoCloseable {
    /// Puts rows `firstRow` to `firstRow + count - 1` of a request into the slots from `firstSlot` on; these do not
    /// wrap. By the claimer, before it publishes. It cannot fail.
    ///
    /// @return what the request keeps: its tensors, or null if the slot has taken them over
    @Hot
    TensorSet load(TensorSet tensors, int firstRow, int firstSlot, int count);

    /// Starts running consecutive slots. Returns true if they have been run; on false the backend tells the lane when
    /// they have, from any thread. An exception means that they were not run.
    @Hot
    boolean start(int instance, int firstSlot, int count);

    /// Gives the answers in the slots from `firstSlot` on to rows of the request, which does nothing with its tensors
    /// meanwhile.
    ///
    /// @param tensors those that the request has, or null
    /// @return the request's tensors from now on
    @Hot
    TensorSet unload(TensorSet tensors, int firstRow, int firstSlot, int count);

    /// Lets go of whatever the slots still hold; before they are claimed again.
    @Hot
    void release(int firstSlot, int count);

    /// Tensors for a request that left its own behind in a slot, or null if there are none to spare.
    default TensorSet spare() {
        return null;
    }

    /// The number of the run that an instance is in, or a negative one. Who sees it also sees what was written before
    /// that run began.
    long running(int instance);

    /// Makes run `run` of an instance end soon with a failure, if it is in progress; whether it was.
    boolean terminate(int instance, long run);

    /// Frees everything. Nothing is being run.
    @Override
    void close();
}
