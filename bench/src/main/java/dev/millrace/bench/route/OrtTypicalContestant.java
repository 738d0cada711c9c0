// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.millrace.model.TensorSpec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// ONNX Runtime's Java API as its own examples and most programs use it: nested arrays in, nested arrays out.
final class OrtTypicalContestant implements Contestant {
    private final OrtSession session;
    private final List<List<Value>> examples;
    private final Object[][] arrays;
    private final List<TensorSpec> specs;
    private final Object[] answers;
    private final long[][] shapes;

    OrtTypicalContestant(Fixture fixture, int batch) {
        this.session = fixture.peerSession();
        this.examples = fixture.examples().all(batch);
        this.arrays = examples.stream()
                .map(values -> values.stream().map(JavaTensors::nested).toArray())
                .toArray(Object[][]::new);
        this.specs = fixture.signature().outputs();
        this.answers = new Object[specs.size()];
        this.shapes = new long[specs.size()][];
        requireTensors();
    }

    private void requireTensors() {
        try {
            for (var output : session.getOutputInfo().values()) {
                if (!(output.getInfo() instanceof TensorInfo)) {
                    throw new Unavailable("output '" + output.getName() + "' is not a tensor, so not an array");
                }
            }
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void run(int index) {
        List<Value> values = examples.get(index);
        Map<String, OnnxTensor> inputs = HashMap.newHashMap(values.size());
        try {
            for (int i = 0; i < values.size(); i++) {
                inputs.put(values.get(i).name(), JavaTensors.of(values.get(i), arrays[index][i]));
            }
            try (OrtSession.Result result = session.run(inputs)) {
                for (int i = 0; i < answers.length; i++) {
                    OnnxValue answer = result.get(i);
                    answers[i] = answer.getValue();
                    shapes[i] = ((TensorInfo) answer.getInfo()).getShape();
                }
            }
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    @Override
    public List<Value> answers() {
        List<Value> all = new ArrayList<>();
        for (int i = 0; i < answers.length; i++) {
            TensorSpec spec = specs.get(i);
            all.add(Value.ofJava(spec.name(), spec.datatype(), shapes[i], answers[i]));
        }
        return all;
    }

    @Override
    public void close() {
        java.util.Arrays.fill(answers, null);
    }
}
