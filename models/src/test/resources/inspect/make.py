# SPDX-License-Identifier: Apache-2.0
#
# Makes the models and expectations in this folder: python3 make.py, with onnx 1.23.1 and onnxruntime 1.30.0.
# The shapes are those of the tensors that ONNX Runtime gives when it runs the model with one row.
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

F, I = TensorProto.FLOAT, TensorProto.INT64
random = np.random.default_rng(7)


def floats(name, *dims):
    return numpy_helper.from_array(random.normal(size=dims).astype(np.float32), name)


def ints(name, *values, dims=None):
    return numpy_helper.from_array(np.array(values, np.int64).reshape(dims or (len(values),)), name)


def value(name, kind, *dims):
    return helper.make_tensor_value_info(name, kind, dims)


nodes, weights, named = [], [], set()


def add(op, inputs, outputs=1, domain="", **attributes):
    name = f"{op}_{len(nodes)}"
    made = [f"{name}_{i}" for i in range(outputs)]
    nodes.append(helper.make_node(op, inputs, made, name, domain=domain, **attributes))
    return made if outputs > 1 else made[0]


def weight(*dims):
    name = f"w{len(weights)}"
    weights.append(floats(name, *dims))
    return name


def shape(*values, dims=None):
    name = f"s{len(weights)}"
    weights.append(ints(name, *values, dims=dims))
    return name


def scalar(number):
    name = f"c{len(weights)}"
    weights.append(numpy_helper.from_array(np.array(number), name))
    return name


def shapes():
    """Operators in many forms, on an image, rows and a series, with the batch open."""
    x, r, t = "image", "rows", "series"  # [n, 4, 16, 20], [n, 12], [7, n, 5]
    c = add("Conv", [x, weight(6, 4, 3, 3), weight(6)], pads=[1, 1, 1, 1], strides=[2, 2])
    add("Conv", [x, weight(6, 4, 3, 3)], auto_pad="SAME_UPPER", strides=[2, 3])
    add("Conv", [x, weight(6, 4, 3, 5)], auto_pad="VALID", dilations=[2, 1])
    add("Conv", [x, weight(8, 2, 3, 3)], group=2)
    add("Conv", [x, weight(6, 4, 2, 2)], pads=[1, 0, 2, 3])
    add("ConvTranspose", [x, weight(4, 3, 3, 3)], strides=[2, 2], output_padding=[1, 1], pads=[1, 1, 1, 1])
    add("ConvTranspose", [x, weight(4, 3, 3, 3)], group=2, dilations=[2, 2])
    add("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    add("MaxPool", [x], kernel_shape=[2, 2], strides=[3, 3], ceil_mode=1, pads=[1, 1, 1, 1])
    add("AveragePool", [x], kernel_shape=[3, 2], pads=[1, 0, 1, 1])
    g = add("GlobalAveragePool", [x])
    add("BatchNormalization", [x, weight(4), weight(4), weight(4), scalar(np.ones(4, np.float32))])
    add("Relu", [c]), add("Sigmoid", [c]), add("Softmax", [r], axis=-1), add("Clip", [r])
    add("LayerNormalization", [r, weight(12)], axis=-1)
    add("Resize", [x, "", "", shape(1, 4, 32, 40)])
    f = add("Flatten", [c])
    add("Flatten", [x], axis=3), add("Flatten", [x], axis=-3)
    add("Gemm", [r, weight(12, 5), weight(5)]), add("Gemm", [r, weight(5, 12)], transB=1)
    add("MatMul", [r, weight(12, 9)]), add("MatMul", [x, weight(20, 3)]), add("MatMul", [r, weight(12)])
    add("MatMul", [x, weight(4, 20, 2)])
    add("Add", [x, weight(20)]), add("Mul", [x, weight(4, 1, 1)]), add("Sub", [r, weight(3, 1, 12)])
    add("Sum", [r, weight(12), weight(1, 1)]), add("PRelu", [x, weight(4, 1, 1)])
    add("Where", [add("Greater", [r, weight(12)]), r, weight(1)])
    add("Concat", [x, x], axis=1), add("Concat", [r, r], axis=-1)
    add("Transpose", [x], perm=[0, 2, 3, 1]), add("Transpose", [r])
    add("Reshape", [x, shape(0, -1, 5)]), add("Reshape", [r, shape(-1, 3, 4)])
    add("Squeeze", [g, shape(2, 3)]), add("Squeeze", [g, shape(-1)])
    add("Unsqueeze", [r, shape(0, -1)])
    add("Slice", [x, shape(1, -8), shape(3, 1 << 40), shape(1, 2)])
    add("Slice", [x, shape(-1), shape(-100), shape(3), shape(-3)])
    add("Slice", [x, shape(2, 0), shape(-2, 9), shape(-1, -2), shape(4, 2)])
    add("Gather", [x, shape(1, 0, 2, dims=(3, 1))], axis=2), add("Gather", [x, scalar(np.int64(-1))], axis=1)
    add("Pad", [x, shape(0, 0, 1, 2, 0, 1, 3, 4)]), add("Tile", [r, shape(1, 3)])
    add("Expand", [r, shape(2, 1, 12)])
    add("DepthToSpace", [x], blocksize=2), add("SpaceToDepth", [x], blocksize=4)
    add("ReduceMean", [x, shape(2, 3)]), add("ReduceMax", [x, shape(-1)], keepdims=0)
    add("ReduceSum", [x]), add("ReduceSum", [r, shape(1)], keepdims=0)
    add("ArgMax", [x], axis=1), add("ArgMax", [x], axis=-1, keepdims=0)
    add("Split", [x, shape(1, 3)], 2, axis=1), add("Split", [x], 3, axis=3, num_outputs=3)
    add("TopK", [r, shape(4)], 2)
    add("LSTM", [t, weight(1, 24, 5), weight(1, 24, 6), weight(1, 48)], 3, hidden_size=6)
    add("GRU", [t, weight(2, 9, 5), weight(2, 9, 3)], 2, hidden_size=3, direction="bidirectional")
    add("Cast", [r], to=I), add("Dropout", [r]), add("Identity", [x])
    add("OneHot", [add("ArgMax", [r], axis=1), scalar(np.int64(7)), scalar(np.array([0, 1], np.float32))])
    add("DynamicQuantizeLinear", [r], 3)
    # What exporters make of x.view(x.size(0), -1), and of expand.
    s = add("Shape", [x])
    n = add("Unsqueeze", [add("Gather", [s, scalar(np.int64(0))]), shape(0)])
    add("Reshape", [x, add("Concat", [n, shape(-1)], axis=0)])
    add("Reshape", [f, add("Concat", [n, shape(4), shape(-1)], axis=0)])
    tail = add("Slice", [s, shape(2), shape(4)])
    add("Reshape", [x, add("Concat", [n, shape(4), add("Unsqueeze", [add("ReduceProd", [tail], keepdims=0), shape(0)])], axis=0)])
    half = add("Div", [add("Gather", [s, scalar(np.int64(1))]), scalar(np.int64(2))])
    add("Reshape", [x, add("Concat", [n, add("Unsqueeze", [half, shape(0)]), shape(-1)], axis=0)])
    ones = add("ConstantOfShape", [shape(3)], value=helper.make_tensor("v", I, [1], [1]))
    wanted = shape(4, -1, -1)
    same = add("Equal", [wanted, add("Mul", [ones, shape(-1)])])
    add("Expand", [r, add("Where", [same, ones, wanted])])
    add("ConstantOfShape", [add("Shape", [r])])
    add("Range", [scalar(np.int64(0)), add("Gather", [s, scalar(np.int64(2))]), scalar(np.int64(3))])
    add("Shape", [x], start=1, end=-1), add("Size", [r])
    graph = helper.make_graph(
        nodes,
        "shapes",
        [value(x, F, "n", 4, 16, 20), value(r, F, "n", 12), value(t, F, 7, "n", 5)],
        [helper.make_empty_tensor_value_info(name) for node in nodes for name in node.output],
        weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    feed = {name: np.ones(dims, np.float32) for name, dims in ((x, (1, 4, 16, 20)), (r, (1, 12)), (t, (7, 1, 5)))}
    with open("shapes.txt", "w") as out:
        out.write("# What ONNX Runtime gives, by name; made by make.py.\n")
        for name, array in zip(names, session.run(names, feed)):
            out.write(name + " " + ",".join(map(str, array.shape)) + "\n")
    del graph.output[1:]
    kept = helper.make_graph(nodes, "shapes", graph.input, [value(names[0], F, "n", 6, 8, 10)], weights)
    onnx.save(helper.make_model(kept, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), "shapes.onnx")


def everything():
    """A model with what files seldom have: functions, branches, sparse and external constants, metadata."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("acme", 1)]
    twice = helper.make_function(
        "acme", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)])
    four = helper.make_function(
        "acme", "FourTimes", ["a"], ["c"],
        [helper.make_node("Twice", ["a"], ["b"], domain="acme"), helper.make_node("Twice", ["b"], ["c"], domain="acme")],
        opsets)
    then = helper.make_graph(
        [helper.make_node("Mul", ["hidden", "factor"], ["then_out"])], "then", [], [value("then_out", F, None, 3)])
    other = helper.make_graph(
        [helper.make_node("Identity", ["hidden"], ["else_out"])], "else", [], [value("else_out", F, None, 3)])
    sparse = helper.make_sparse_tensor(floats("sparse", 2), ints("places", 0, 2), [3])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["product"], "product"),
        helper.make_node("FourTimes", ["product"], ["four"], "four", domain="acme"),
        helper.make_node("Add", ["four", "sparse"], ["hidden"], "bias"),
        helper.make_node("Constant", [], ["factor"], value=helper.make_tensor("", F, [1], [2.0])),
        helper.make_node("If", ["flag"], ["y"], "choose", then_branch=then, else_branch=other)]
    graph = helper.make_graph(
        nodes, "everything", [value("x", F, "batch", 5), value("flag", TensorProto.BOOL)], [value("y", F, "batch", 3)],
        [floats("w", 5, 3)], "A graph with everything.", [value("product", F, "batch", 3)], sparse_initializer=[sparse])
    model = helper.make_model(
        graph, functions=[twice, four], opset_imports=opsets, ir_version=9, producer_name="make.py",
        producer_version="1", domain="test.millrace", model_version=3, doc_string="For tests.")
    helper.set_model_props(model, {"licence": "Apache-2.0", "text": "two\nlines, \u00fc"})
    onnx.save(model, "everything.onnx", save_as_external_data=True, location="everything.bin", size_threshold=0,
              convert_attribute=False)
    onnxruntime.InferenceSession("everything.onnx")


shapes()
everything()
