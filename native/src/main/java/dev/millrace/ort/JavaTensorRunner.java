// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import ai.onnxruntime.OnnxMap;
import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/// Whole tensors through ONNX Runtime's Java API: the way for sequences and maps, and the stand-in for the rest.
///
/// A map becomes a row whose columns are its keys in ascending order, a sequence of maps one such row each; a sequence
/// of tensors of one shape becomes a tensor with one more leading dimension.
final class JavaTensorRunner implements TensorRunner {
    private final OrtSession session;
    private final List<ValueInfo> inputInfos;
    private final List<ValueInfo> outputInfos;
    private final OrtSession.RunOptions options;
    private final Termination termination = new Termination();

    JavaTensorRunner(OrtSession session, SessionSettings.Arena arena, List<ValueInfo> inputs, List<ValueInfo> outputs) {
        this.session = session;
        this.inputInfos = inputs;
        this.outputInfos = outputs;
        this.options = JavaTensors.runOptions(arena);
    }

    @Override
    public void run(Tensor[] inputs, Tensor[] outputs) {
        Map<String, OnnxTensor> in = new HashMap<>();
        try {
            for (int i = 0; i < inputs.length; i++) {
                String name = inputInfos.get(i).name();
                in.put(name, input(name, inputs[i]));
            }
            try (OrtSession.Result result = run(in)) {
                for (int i = 0; i < outputs.length; i++) {
                    String name = outputInfos.get(i).name();
                    copyOut(name, result.get(name).orElseThrow(), outputs[i]);
                }
            }
        } catch (OrtException e) {
            throw OnnxSession.failure(e);
        } finally {
            in.values().forEach(OnnxTensor::close);
        }
    }

    private OrtSession.Result run(Map<String, OnnxTensor> in) throws OrtException {
        termination.begin();
        try {
            return session.run(in, options);
        } finally {
            if (termination.end()) {
                JavaTensors.setTerminate(options, false);
            }
        }
    }

    private static OnnxTensor input(String name, Tensor tensor) throws OrtException {
        if (tensor.datatype() == DataType.BYTES) {
            String[] texts = new String[(int) tensor.elementCount()];
            for (int i = 0; i < texts.length; i++) {
                NativeTensorRunner.refuseNul(name, i, tensor.getBytes(i));
                texts[i] = tensor.getString(i);
                refuseSupplementary(name, i, texts[i]);
            }
            return OnnxTensor.createTensor(OrtRuntime.environment(), texts, tensor.shape());
        }
        MemorySegment memory = tensor.data().asSlice(0, tensor.byteSize());
        return JavaTensors.over(name, tensor.datatype(), memory, tensor.shape());
    }

    /// ONNX Runtime's Java API writes characters beyond U+FFFF in the JVM's own way, which is not UTF-8: the model
    /// would read something else.
    private static void refuseSupplementary(String input, int index, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                throw new OrtFailure(
                        -1,
                        "input '" + input + "': string " + index + " contains U+"
                                + Integer.toHexString(text.codePointAt(i)).toUpperCase(Locale.ROOT)
                                + ", which cannot be passed through ONNX Runtime's Java API, only through its C API");
            }
        }
    }

    private static void copyOut(String name, OnnxValue value, Tensor target) throws OrtException {
        switch (value) {
            case OnnxTensor tensor ->
                copyTensor(tensor, target, tensor.getInfo().getShape(), 0);
            case OnnxMap map -> copyMaps(List.of(map.getValue()), new long[0], target);
            case OnnxSequence sequence -> copySequence(name, sequence, target);
            default -> throw new OrtFailure(-1, "output '" + name + "' is of a kind that cannot be served");
        }
    }

    private static void copySequence(String name, OnnxSequence sequence, Tensor target) throws OrtException {
        List<? extends OnnxValue> values = sequence.getValue();
        try {
            if (sequence.getInfo().isSequenceOfMaps()) {
                List<Map<?, ?>> maps = new ArrayList<>();
                for (OnnxValue value : values) {
                    maps.add(((OnnxMap) value).getValue());
                }
                copyMaps(maps, new long[] {maps.size()}, target);
            } else {
                stack(name, values, target);
            }
        } finally {
            values.forEach(OnnxValue::close);
        }
    }

    private static void stack(String name, List<? extends OnnxValue> values, Tensor target) throws OrtException {
        if (values.isEmpty()) {
            target.reshape(0);
            return;
        }
        long[] first = ((OnnxTensor) values.getFirst()).getInfo().getShape();
        long[] shape = new long[first.length + 1];
        shape[0] = values.size();
        System.arraycopy(first, 0, shape, 1, first.length);
        target.reshape(shape);
        long stride = target.elementCount() / values.size();
        for (int i = 0; i < values.size(); i++) {
            OnnxTensor tensor = (OnnxTensor) values.get(i);
            if (!Arrays.equals(first, tensor.getInfo().getShape())) {
                throw new OrtFailure(
                        -1,
                        "output '" + name + "' is a sequence of tensors of different shapes, " + Arrays.toString(first)
                                + " and " + Arrays.toString(tensor.getInfo().getShape()));
            }
            copyTensor(tensor, target, null, i * stride);
        }
    }

    private static void copyTensor(OnnxTensor tensor, Tensor target, long[] shape, long firstElement)
            throws OrtException {
        if (shape != null) {
            target.reshape(shape);
        }
        if (target.datatype() == DataType.BYTES) {
            List<String> texts = new ArrayList<>();
            flatten(tensor.getValue(), texts);
            for (int i = 0; i < texts.size(); i++) {
                target.setString((int) firstElement + i, texts.get(i));
            }
        } else {
            MemorySegment elements = MemorySegment.ofBuffer(tensor.getByteBuffer());
            long offset = firstElement * target.datatype().byteSize();
            MemorySegment.copy(elements, 0, target.data(), offset, elements.byteSize());
        }
    }

    private static void flatten(Object value, List<String> texts) {
        if (value instanceof Object[] array) {
            for (Object element : array) {
                flatten(element, texts);
            }
        } else {
            texts.add((String) value);
        }
    }

    private static void copyMaps(List<? extends Map<?, ?>> maps, long[] leading, Tensor target) {
        TreeSet<Object> keys = new TreeSet<>();
        maps.forEach(map -> keys.addAll(map.keySet()));
        long[] shape = Arrays.copyOf(leading, leading.length + 1);
        shape[leading.length] = keys.size();
        target.reshape(shape);
        target.keys(List.copyOf(keys));
        int index = 0;
        for (Map<?, ?> map : maps) {
            for (Object key : keys) {
                setElement(target, index++, map.get(key));
            }
        }
    }

    /// Sets one element from a map's value; a key that this map lacks gives NaN, 0 or the empty string.
    private static void setElement(Tensor target, int index, Object value) {
        switch (target.datatype()) {
            case FP32, FP64 -> target.setReal(index, value == null ? Double.NaN : ((Number) value).doubleValue());
            case BYTES -> target.setString(index, value == null ? "" : (String) value);
            default -> target.setLong(index, value == null ? 0 : ((Number) value).longValue());
        }
    }

    @Override
    public long running() {
        return termination.running();
    }

    @Override
    public boolean terminate(long number) {
        return termination.terminate(number, () -> JavaTensors.setTerminate(options, true));
    }

    @Override
    public void close() {
        options.close();
    }
}
