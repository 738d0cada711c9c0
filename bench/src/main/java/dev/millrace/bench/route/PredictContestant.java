// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Prediction;
import dev.millrace.runtime.Request;
import java.util.List;

/// This project's convenient way: a new request for every prediction.
final class PredictContestant implements Contestant {
    private final Model model;
    private final List<List<Value>> examples;
    private final Object[][] arrays;
    private final LaneProgress progress;
    private final int batch;
    private final boolean rows;
    private Prediction answer;

    PredictContestant(Fixture fixture, int batch) {
        Millrace runtime = fixture.runtime();
        this.model = runtime.model(fixture.name());
        this.examples = fixture.examples().all(batch);
        this.arrays = examples.stream()
                .map(values -> values.stream().map(Value::asRequest).toArray())
                .toArray(Object[][]::new);
        this.progress = new LaneProgress(runtime, fixture.name());
        this.batch = batch;
        this.rows = fixture.hasRows();
    }

    @Override
    public void run(int index) {
        Request request = model.request();
        List<Value> values = examples.get(index);
        for (int i = 0; i < values.size(); i++) {
            request.set(values.get(i).name(), values.get(i).shape(), arrays[index][i]);
        }
        answer = model.predict(request);
    }

    @Override
    public List<Value> answers() {
        return answer.outputs().stream()
                .map(output -> Value.ofJava(
                        output.name(),
                        output.datatype(),
                        output.shape().stream().mapToLong(Long::longValue).toArray(),
                        output.values()))
                .toList();
    }

    @Override
    public boolean ranWhole() {
        return !rows || progress.rows() == progress.batches() * batch;
    }

    @Override
    public void close() {
        answer = null;
    }
}
