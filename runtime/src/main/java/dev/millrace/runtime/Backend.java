// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.memory.Hot;

/// How the slots of a lane become a run of its model.
///
/// Ownership of what a slot holds: the claimer's from claim to publish, the lane's from then to release.
interface Backend extends AutoCloseable {
    /// Puts rows `firstRow` to `firstRow + count - 1` of the call into the slots from `firstSlot` on; these do not
    /// wrap. By the claimer, before it publishes. It cannot fail.
    @Hot
    void load(Call call, int firstRow, int firstSlot, int count);

    /// Starts running the slice's slots. Returns true if they have been run; on false the backend tells the lane by
    /// [Lane#completed(Slice, Throwable)] when they have, from any thread. An exception means that they were not
    /// run.
    @Hot
    boolean start(Slice slice);

    /// Gives the answers in the slots from `firstSlot` on to rows of the call, which is pinned meanwhile.
    @Hot
    void unload(Call call, int firstRow, int firstSlot, int count);

    /// Lets go of whatever the slots still hold; before they are claimed again.
    @Hot
    void release(int firstSlot, int count);

    /// Tensors for a call that left its own behind in a slot, or null if there are none to spare.
    default TensorSet spare() {
        return null;
    }

    /// Makes the run that this slice is in, if any, end soon with a failure.
    void terminate(Slice slice);

    /// Frees everything. No slice is in flight.
    @Override
    void close();
}
