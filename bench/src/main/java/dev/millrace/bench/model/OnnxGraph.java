// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import dev.millrace.memory.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Writes ONNX files: values and nodes in the order in which they are added. Threads: one.
public final class OnnxGraph {
    /// The operators for classic machine learning.
    static final String ML = "ai.onnx.ml";

    private static final int IR_VERSION = 8;
    private static final int OPSET = 17;
    private static final int ML_OPSET = 3;

    private final GraphProto.Builder graph;

    /// A graph without values or nodes.
    public OnnxGraph(String name) {
        graph = GraphProto.newBuilder().setName(name);
    }

    /// Adds an input.
    ///
    /// @param shape the dimensions; a negative one is open, the leading one by the name `batch`
    public OnnxGraph input(String name, DataType type, long... shape) {
        graph.addInput(value(name, type, shape));
        return this;
    }

    /// Adds an output; its shape is as an input's.
    public OnnxGraph output(String name, DataType type, long... shape) {
        graph.addOutput(value(name, type, shape));
        return this;
    }

    /// Adds a constant FP32 tensor.
    public OnnxGraph weights(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(name)
                .setDataType(TensorProto.DataType.FLOAT_VALUE)
                .setRawData(ByteString.copyFrom(bytes));
        for (long dim : shape) {
            tensor.addDims(dim);
        }
        graph.addInitializer(tensor);
        return this;
    }

    /// Adds a node with one output.
    public OnnxGraph node(String operator, String output, List<String> inputs, AttributeProto... attributes) {
        return node("", operator, output, inputs, List.of(attributes));
    }

    /// Adds a node of the operator set `domain`.
    OnnxGraph node(
            String domain, String operator, String output, List<String> inputs, List<AttributeProto> attributes) {
        graph.addNode(NodeProto.newBuilder()
                .setName(operator + "_" + output)
                .setDomain(domain)
                .setOpType(operator)
                .addAllInput(inputs)
                .addOutput(output)
                .addAllAttribute(attributes));
        return this;
    }

    /// An attribute that is one integer.
    public static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    /// An attribute of integers.
    static AttributeProto integers(String name, Iterable<Long> values) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INTS)
                .addAllInts(values)
                .build();
    }

    /// An attribute of numbers.
    static AttributeProto floats(String name, Iterable<Float> values) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.FLOATS)
                .addAllFloats(values)
                .build();
    }

    /// An attribute of words.
    static AttributeProto strings(String name, List<String> values) {
        AttributeProto.Builder attribute =
                AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.STRINGS);
        values.forEach(value -> attribute.addStrings(ByteString.copyFrom(value, StandardCharsets.UTF_8)));
        return attribute.build();
    }

    /// An attribute that is a graph; it sees the values of the graph around it.
    static AttributeProto graph(String name, OnnxGraph value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.GRAPH)
                .setG(value.graph)
                .build();
    }

    /// The file.
    public byte[] bytes() {
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName("millrace-bench")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(OPSET))
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(ML).setVersion(ML_OPSET))
                .setGraph(graph)
                .build()
                .toByteArray();
    }

    private static ValueInfoProto value(String name, DataType type, long... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (int axis = 0; axis < dims.length; axis++) {
            TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
            shape.addDim(
                    dims[axis] >= 0 ? dim.setDimValue(dims[axis]) : dim.setDimParam(axis == 0 ? "batch" : "d" + axis));
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(type.onnxCode())
                                .setShape(shape)))
                .build();
    }
}
