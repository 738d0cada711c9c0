# SPDX-License-Identifier: Apache-2.0
"""Makes the small ONNX models beside it, for the tests. The build does not need it: the models are checked in.

    pip install onnx numpy && python3 make.py
"""
import pathlib

import numpy as np
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper, save_model

HERE = pathlib.Path(__file__).parent
X = ["n", 4]


def save(name, nodes, inputs, outputs, initializers=(), metadata=None, ml=False):
    graph = h.make_graph(nodes, name, inputs, outputs, list(initializers))
    opsets = [h.make_opsetid("", 18)] + ([h.make_opsetid("ai.onnx.ml", 3)] if ml else [])
    model = h.make_model(graph, opset_imports=opsets, producer_name="millrace-tests", ir_version=9)
    if metadata:
        h.set_model_props(model, metadata)
    save_model(model, HERE / (name + ".onnx"))


def tensor(name, kind, shape):
    return h.make_tensor_value_info(name, kind, shape)


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, kind), name)


def simple(name, op, x=X, y=X, kind=T.FLOAT, initializers=(), more=(), **attributes):
    save(name, [h.make_node(op, ["x", *[i.name for i in initializers]], ["y"], **attributes)],
         [tensor("x", kind, x), *more], [tensor("y", kind, y)], initializers)


W = constant("w", np.random.default_rng(1).normal(size=(4, 3)))

# Rows are independent.
simple("rows", "MatMul", y=["n", 3], initializers=[W])
save("rows_output_open",
     [h.make_node("ReduceMax", ["x"], ["largest"], keepdims=0), h.make_node("Mul", ["largest", "zero"], ["nothing"]),
      h.make_node("Add", ["nothing", "four"], ["real_end"]), h.make_node("Cast", ["real_end"], ["end"], to=T.INT64),
      h.make_node("Slice", ["x", "from", "end", "axis"], ["y"])],
     [tensor("x", T.FLOAT, X)], [tensor("y", T.FLOAT, ["n", None])],
     [constant("zero", [0]), constant("four", [4]), constant("from", [0], np.int64), constant("axis", [1], np.int64)])
simple("rows_unnamed_dim", "MatMul", x=[None, 4], y=[None, 3], initializers=[W])
simple("rows_scalar_rows", "ReduceSum", y=["n"], initializers=[constant("axes", [1], np.int64)], keepdims=0)
simple("rows_bool", "Not", kind=T.BOOL)
simple("rows_fp16", "Relu", kind=T.FLOAT16)
simple("rows_int8", "Identity", kind=T.INT8)
save("rows_two_inputs", [h.make_node("Concat", ["a", "b"], ["y"], axis=1)],
     [tensor("a", T.FLOAT, ["n", 2]), tensor("b", T.FLOAT, ["n", 3])], [tensor("y", T.FLOAT, ["n", 5])])

# One row at a time.
simple("one_row", "MatMul", x=[1, 4], y=[1, 3], initializers=[W])
simple("one_row_scalar_out", "ReduceSum", x=[1, 4], y=[], keepdims=0)

# Rows affect each other.
simple("softmax_over_batch", "Softmax", axis=0)
simple("softmax_over_features", "Softmax", axis=1)
save("dynamically_quantized",
     [h.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
      h.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"])],
     [tensor("x", T.FLOAT, X)], [tensor("y", T.FLOAT, X)])
save("previous_row",
     [h.make_node("Slice", ["x", "from", "to"], ["head"]), h.make_node("Sub", ["x", "head"], ["y"])],
     [tensor("x", T.INT64, X)], [tensor("y", T.INT64, X)],
     [constant("from", [0], np.int64), constant("to", [1], np.int64)])
save("count_rows",
     [h.make_node("Shape", ["x"], ["shape"], start=0, end=1),
      h.make_node("Concat", ["shape", "shape"], ["square"], axis=0), h.make_node("ConstantOfShape", ["square"], ["y"])],
     [tensor("x", T.FLOAT, X)], [tensor("y", T.FLOAT, ["n", None])])

# No batch dimension to speak of.
save("different_names", [h.make_node("Concat", ["a", "b"], ["y"], axis=0)],
     [tensor("a", T.FLOAT, ["n", 2]), tensor("b", T.FLOAT, ["m", 2])], [tensor("y", T.FLOAT, ["k", 2])])
save("scalar_input", [h.make_node("Mul", ["x", "factor"], ["y"])],
     [tensor("x", T.FLOAT, X), tensor("factor", T.FLOAT, [])], [tensor("y", T.FLOAT, X)])
simple("strings", "Identity", kind=T.STRING)
simple("variable_rows", "Relu", x=["n", "m"], y=["n", "m"])
simple("sum_of_all", "ReduceSum", y=[], keepdims=0)
simple("sum_over_batch", "ReduceSum", y=[1, 4], initializers=[constant("axes", [0], np.int64)], keepdims=1)
simple("fixed_batch_of_two", "Relu", x=[2, 4], y=[2, 4])
save("gather", [h.make_node("Gather", ["table", "index"], ["y"])],
     [tensor("index", T.INT64, ["n", 4])], [tensor("y", T.FLOAT, ["n", 4])], [constant("table", [1])])
save("no_inputs", [h.make_node("Identity", ["w"], ["y"])], [], [tensor("y", T.FLOAT, [4, 3])], [W])
kind = h.make_sequence_type_proto(h.make_map_type_proto(T.INT64, h.make_tensor_type_proto(T.FLOAT, [])))
save("sequence_of_maps", [h.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2, 3])],
     [tensor("x", T.FLOAT, X)], [h.make_value_info("y", kind)], ml=True)
save("sequence_of_tensors", [h.make_node("SplitToSequence", ["x"], ["y"], axis=0)],
     [tensor("x", T.FLOAT, X)], [h.make_tensor_sequence_value_info("y", T.FLOAT, None)])
save("any_rank", [h.make_node("Relu", ["x"], ["y"])], [tensor("x", T.FLOAT, None)], [tensor("y", T.FLOAT, None)])
