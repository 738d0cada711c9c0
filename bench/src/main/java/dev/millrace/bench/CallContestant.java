// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.runtime.Call;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;

/// This project's reusable call, run on the calling thread.
final class CallContestant implements Contestant {
    private final Call call;
    private final float[][] batches;
    private final LaneProgress progress;
    private final int batch;

    CallContestant(Fixture fixture, int batch) {
        Millrace runtime = fixture.runtime();
        this.call = runtime.model(fixture.model().name()).call();
        this.call.rows(batch);
        this.batches = fixture.rows().flat(batch);
        this.progress = new LaneProgress(runtime, fixture.model().name());
        this.batch = batch;
    }

    @Override
    public void run(int index) {
        call.input(0).putFloats(batches[index]);
        if (call.run() != Outcome.OK) {
            throw new IllegalStateException(call.message());
        }
    }

    @Override
    public float answer(int element) {
        return call.output(0).getFloat(element);
    }

    @Override
    public boolean ranWhole() {
        return progress.rows() == progress.batches() * batch;
    }

    @Override
    public void close() {
        call.close();
    }
}
