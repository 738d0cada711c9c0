// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// This project's reusable call, run on the calling thread.
final class CallContestant implements Contestant {
    private final Call call;
    private final List<List<Value>> examples;
    private final MemorySegment[][] sources;
    private final LaneProgress progress;
    private final int batch;
    private final boolean rows;

    CallContestant(Fixture fixture, Millrace runtime, int batch) {
        this.examples = fixture.examples().all(batch);
        this.sources = examples.stream()
                .map(values -> values.stream()
                        .map(value -> value.datatype() == DataType.BYTES ? null : value.segment())
                        .toArray(MemorySegment[]::new))
                .toArray(MemorySegment[][]::new);
        this.progress = new LaneProgress(runtime, fixture.name());
        this.batch = batch;
        this.rows = fixture.hasRows();
        this.call = runtime.model(fixture.name()).call();
        for (int i = 0; i < sources[0].length; i++) {
            call.input(i).reshape(examples.getFirst().get(i).shape());
        }
    }

    @Override
    public void run(int index) {
        MemorySegment[] source = sources[index];
        for (int i = 0; i < source.length; i++) {
            if (source[i] == null) {
                copyTexts(index, i);
            } else {
                MemorySegment.copy(source[i], 0, call.input(i).data(), 0, source[i].byteSize());
            }
        }
        if (call.run() != Outcome.OK) {
            throw new IllegalStateException(call.message());
        }
    }

    private void copyTexts(int index, int input) {
        String[] texts = (String[]) examples.get(index).get(input).array();
        Tensor tensor = call.input(input);
        for (int i = 0; i < texts.length; i++) {
            tensor.setString(i, texts[i]);
        }
    }

    @Override
    public List<Value> answers() {
        List<Value> answers = new ArrayList<>();
        List<TensorSpec> specs = call.signature().outputs();
        for (int i = 0; i < specs.size(); i++) {
            answers.add(Value.of(specs.get(i).name(), call.output(i)));
        }
        return answers;
    }

    @Override
    public boolean ranWhole() {
        return !rows || progress.rows() == progress.batches() * batch;
    }

    @Override
    public void close() {
        call.close();
    }
}
