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
TYPES = {
    "BOOL": T.BOOL, "UINT8": T.UINT8, "UINT16": T.UINT16, "UINT32": T.UINT32, "UINT64": T.UINT64,
    "INT8": T.INT8, "INT16": T.INT16, "INT32": T.INT32, "INT64": T.INT64,
    "FP16": T.FLOAT16, "BF16": T.BFLOAT16, "FP32": T.FLOAT, "FP64": T.DOUBLE, "BYTES": T.STRING,
}


def save(name, nodes, inputs, outputs, initializers=(), metadata=None, ml=False, opset=18):
    graph = h.make_graph(nodes, name, inputs, outputs, list(initializers))
    opsets = [h.make_opsetid("", opset)] + ([h.make_opsetid("ai.onnx.ml", 3)] if ml else [])
    model = h.make_model(graph, opset_imports=opsets, producer_name="millrace-tests", ir_version=9)
    if metadata:
        h.set_model_props(model, metadata)
    save_model(model, HERE / (name + ".onnx"))


def tensor(name, kind, shape):
    return h.make_tensor_value_info(name, kind, shape)


def constant(name, values, kind=np.float32):
    return numpy_helper.from_array(np.asarray(values, kind), name)


def identities():
    for name, kind in TYPES.items():
        save("identity_" + name.lower(), [h.make_node("Identity", ["x"], ["y"])],
             [tensor("x", kind, ["n", "m"])], [tensor("y", kind, ["n", "m"])])
    for rank in (0, 5):
        dims = ["a", "b", "c", "d", "e"][:rank]
        save(f"identity_rank{rank}", [h.make_node("Identity", ["x"], ["y"])],
             [tensor("x", T.FLOAT, dims)], [tensor("y", T.FLOAT, dims)])


def mlp():
    random = np.random.default_rng(1)
    save("mlp",
         [h.make_node("MatMul", ["x", "w1"], ["a"]), h.make_node("Relu", ["a"], ["b"]),
          h.make_node("MatMul", ["b", "w2"], ["scores"]), h.make_node("ArgMax", ["scores"], ["best"], axis=1, keepdims=0)],
         [tensor("x", T.FLOAT, ["batch", 4])],
         [tensor("scores", T.FLOAT, ["batch", 3]), tensor("best", T.INT64, ["batch"])],
         [constant("w1", random.normal(size=(4, 16))), constant("w2", random.normal(size=(16, 3)))],
         {"author": "tests", "purpose": "näive"})


def gather():
    """Fails where an index is not one of 0 to 3."""
    save("gather", [h.make_node("Gather", ["table", "index"], ["value"])],
         [tensor("index", T.INT64, ["n", 1])], [tensor("value", T.FLOAT, ["n", 1])],
         [constant("table", [10, 11, 12, 13])])


def loops():
    """Counts to the largest element of the input, one step of a loop each, and gives the input back."""
    body = h.make_graph(
        [h.make_node("Identity", ["go"], ["still"]), h.make_node("Add", ["count", "one"], ["next"])],
        "body",
        [tensor("i", T.INT64, []), tensor("go", T.BOOL, []), tensor("count", T.INT64, [])],
        [tensor("still", T.BOOL, []), tensor("next", T.INT64, [])],
        [constant("one", 1, np.int64)])
    save("loop",
         [h.make_node("ReduceMax", ["steps"], ["trips"], keepdims=0),
          h.make_node("Loop", ["trips", "", "zero"], ["counted"], body=body),
          h.make_node("Sub", ["counted", "trips"], ["difference"]),
          h.make_node("Add", ["steps", "difference"], ["done"])],
         [tensor("steps", T.INT64, ["n", 1])], [tensor("done", T.INT64, ["n", 1])],
         [constant("zero", 0, np.int64)])


def sequences():
    for name, labels in (("int64s", {"classlabels_int64s": [7, -3, 12]}), ("strings", {"classlabels_strings": ["no", "ja", "ö"]})):
        key = T.INT64 if name == "int64s" else T.STRING
        kind = h.make_sequence_type_proto(h.make_map_type_proto(key, h.make_tensor_type_proto(T.FLOAT, [])))
        save("zipmap_" + name, [h.make_node("ZipMap", ["x"], ["maps"], domain="ai.onnx.ml", **labels)],
             [tensor("x", T.FLOAT, ["n", 3])], [h.make_value_info("maps", kind)], ml=True)
    for name, kind, size in (("fp32", T.FLOAT, 1), ("fp32_by2", T.FLOAT, 2), ("bytes", T.STRING, 1)):
        save("split_" + name, [h.make_node("SplitToSequence", ["x", "size"], ["parts"], axis=0)],
             [tensor("x", kind, ["n", "m"])], [h.make_tensor_sequence_value_info("parts", kind, None)],
             [constant("size", size, np.int64)])


def others():
    save("map_input", [h.make_node("DictVectorizer", ["map"], ["y"], domain="ai.onnx.ml", string_vocabulary=["a", "b"])],
         [h.make_value_info("map", h.make_map_type_proto(T.STRING, h.make_tensor_type_proto(T.FLOAT, [])))],
         [tensor("y", T.FLOAT, [1, 2])], ml=True)
    optional = h.make_optional_type_proto(h.make_tensor_type_proto(T.FLOAT, ["n"]))
    save("optional_input", [h.make_node("OptionalHasElement", ["x"], ["y"])],
         [h.make_value_info("x", optional)], [tensor("y", T.BOOL, [])])
    save("float8", [h.make_node("Cast", ["x"], ["y"], to=T.FLOAT8E4M3FN)],
         [tensor("x", T.FLOAT, ["n"])], [tensor("y", T.FLOAT8E4M3FN, ["n"])], opset=19)
    save("labels", [h.make_node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", keys_strings=["", "ö", "世界", "🚂"],
                                values_int64s=[1, 2, 3, 4], default_int64=-1)],
         [tensor("x", T.STRING, ["n"])], [tensor("y", T.INT64, ["n"])], ml=True)
    save("complex64", [h.make_node("Identity", ["x"], ["y"])],
         [tensor("x", T.COMPLEX64, ["n"])], [tensor("y", T.COMPLEX64, ["n"])])
    save("any_rank", [h.make_node("Identity", ["x"], ["y"])],
         [tensor("x", T.FLOAT, None)], [tensor("y", T.FLOAT, None)])
    save("two_in_two_out",
         [h.make_node("Add", ["a", "b"], ["sum"]), h.make_node("Concat", ["a", "b"], ["both"], axis=1)],
         [tensor("a", T.FLOAT, ["n", 2]), tensor("b", T.FLOAT, ["n", 2])],
         [tensor("sum", T.FLOAT, ["n", 2]), tensor("both", T.FLOAT, ["n", 4])])


identities()
mlp()
gather()
loops()
sequences()
others()
