// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/// ONNX Runtime's Java API at its best: tensors made once over direct buffers, the output pinned.
final class OrtPinnedContestant implements Contestant {
    private final OrtSession session;
    private final float[][] batches;
    private final FloatBuffer in;
    private final FloatBuffer out;
    private final Map<String, OnnxTensor> inputs;
    private final Map<String, OnnxTensor> outputs;

    OrtPinnedContestant(Fixture fixture, int batch) {
        this.session = fixture.peerSession();
        this.batches = fixture.rows().flat(batch);
        int inputWidth = fixture.model().inputWidth();
        int outputWidth = fixture.model().outputWidth();
        this.in = buffer(batch * inputWidth);
        this.out = buffer(batch * outputWidth);
        this.inputs = Map.of(BenchModels.INPUT, tensor(in, batch, inputWidth));
        this.outputs = Map.of(BenchModels.OUTPUT, tensor(out, batch, outputWidth));
    }

    private static FloatBuffer buffer(int elements) {
        return ByteBuffer.allocateDirect(elements * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    private static OnnxTensor tensor(FloatBuffer buffer, int rows, int width) {
        try {
            return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), buffer, new long[] {rows, width});
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void run(int index) {
        in.put(0, batches[index]);
        try {
            session.run(inputs, outputs).close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public float answer(int element) {
        return out.get(element);
    }

    @Override
    public void close() {
        inputs.values().forEach(OnnxTensor::close);
        outputs.values().forEach(OnnxTensor::close);
    }
}
