// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;

/// This project's convenient way: a new request for every prediction.
final class PredictContestant implements Contestant {
    private final Model model;
    private final float[][] batches;
    private final LaneProgress progress;
    private final int batch;
    private float[] answers;

    PredictContestant(Fixture fixture, int batch) {
        Millrace runtime = fixture.runtime();
        this.model = runtime.model(fixture.model().name());
        this.batches = fixture.rows().flat(batch);
        this.progress = new LaneProgress(runtime, fixture.model().name());
        this.batch = batch;
    }

    @Override
    public void run(int index) {
        answers = model.predict(model.request().set(BenchModels.INPUT, batches[index]))
                .floats(BenchModels.OUTPUT);
    }

    @Override
    public float answer(int element) {
        return answers[element];
    }

    @Override
    public boolean ranWhole() {
        return progress.rows() == progress.batches() * batch;
    }

    @Override
    public void close() {
        answers = null;
    }
}
