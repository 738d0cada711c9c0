// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.Map;

/// ONNX Runtime's Java API as its own examples and most programs use it: an array of rows in, an array of rows out.
final class OrtTypicalContestant implements Contestant {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final float[][][] batches;
    private final int width;
    private float[][] answers;

    OrtTypicalContestant(Fixture fixture, int batch) {
        this.session = fixture.peerSession();
        this.batches = fixture.rows().nested(batch);
        this.width = fixture.model().outputWidth();
    }

    @Override
    public void run(int index) {
        try (OnnxTensor input = OnnxTensor.createTensor(environment, batches[index]);
                OrtSession.Result result = session.run(Map.of(BenchModels.INPUT, input))) {
            answers = (float[][]) result.get(0).getValue();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public float answer(int element) {
        return answers[element / width][element % width];
    }

    @Override
    public void close() {
        answers = null;
    }
}
