// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// ONNX Runtime's Java API at its best: tensors made once over direct buffers, the outputs pinned.
final class OrtPinnedContestant implements Contestant {
    private final OrtSession session;
    private final MemorySegment[][] sources;
    private final MemorySegment[] targets;
    private final List<Value> like;
    private final List<MemorySegment> answers = new ArrayList<>();
    private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    private final Map<String, OnnxTensor> outputs = new LinkedHashMap<>();

    private OrtPinnedContestant(Fixture fixture, List<List<Value>> examples, List<Value> like) throws OrtException {
        this.session = fixture.peerSession();
        this.like = like;
        List<MemorySegment> memory = new ArrayList<>();
        try {
            for (Value value : examples.getFirst()) {
                memory.add(pin(value, inputs));
            }
            for (Value value : like) {
                answers.add(pin(value, outputs));
            }
        } catch (OrtException | RuntimeException e) {
            close();
            throw e;
        }
        this.targets = memory.toArray(MemorySegment[]::new);
        this.sources = examples.stream()
                .map(values -> values.stream().map(Value::segment).toArray(MemorySegment[]::new))
                .toArray(MemorySegment[][]::new);
    }

    /// @throws Unavailable if an input or output cannot be prepared
    static Contestant open(Fixture fixture, int batch) {
        CApiContestant.floorObstacle(fixture, batch).ifPresent(reason -> {
            throw new Unavailable("nothing can be pinned: " + reason);
        });
        try (Contestant floor = fixture.contestant(Route.FLOOR, batch)) {
            floor.run(0);
            return new OrtPinnedContestant(fixture, fixture.examples().all(batch), floor.answers());
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    private static MemorySegment pin(Value value, Map<String, OnnxTensor> tensors) throws OrtException {
        ByteBuffer buffer =
                ByteBuffer.allocateDirect(Math.toIntExact(value.segment().byteSize()));
        tensors.put(value.name(), JavaTensors.over(buffer, value));
        return MemorySegment.ofBuffer(buffer);
    }

    @Override
    public void run(int index) {
        MemorySegment[] source = sources[index];
        for (int i = 0; i < source.length; i++) {
            MemorySegment.copy(source[i], 0, targets[i], 0, source[i].byteSize());
        }
        try {
            session.run(inputs, outputs).close();
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public List<Value> answers() {
        List<Value> all = new ArrayList<>();
        for (int i = 0; i < like.size(); i++) {
            Value known = like.get(i);
            Value value = Value.empty(known.name(), known.datatype(), known.shape());
            value.segment().copyFrom(answers.get(i));
            all.add(value);
        }
        return all;
    }

    @Override
    public void close() {
        inputs.values().forEach(OnnxTensor::close);
        outputs.values().forEach(OnnxTensor::close);
    }
}
