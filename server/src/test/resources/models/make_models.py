# SPDX-License-Identifier: Apache-2.0
"""Makes the ONNX files beside it. They are checked in: neither the build nor the tests need Python.

    pip install onnx && python3 make_models.py
"""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

ROOT = pathlib.Path(__file__).parent


def value(name, kind, shape):
    return h.make_tensor_value_info(name, kind, shape)


def save(name, nodes, inputs, outputs, constants=(), ml=False):
    imports = [h.make_opsetid("", 17)] + ([h.make_opsetid("ai.onnx.ml", 3)] if ml else [])
    graph = h.make_graph(nodes, name, inputs, outputs, [nh.from_array(a, n) for n, a in constants])
    model = h.make_model(graph, opset_imports=imports, ir_version=8, producer_name="millrace tests")
    onnx.checker.check_model(model)
    folder = ROOT / name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))


def identities(name, kinds, shape):
    """One Identity per datatype: what goes in as in_X comes out as out_X."""
    nodes = [h.make_node("Identity", [f"in_{k}"], [f"out_{k}"]) for k in kinds]
    save(name, nodes, [value(f"in_{k}", t, shape) for k, t in kinds.items()],
         [value(f"out_{k}", t, shape) for k, t in kinds.items()])


NUMBERS = {
    "BOOL": T.BOOL, "UINT8": T.UINT8, "UINT16": T.UINT16, "UINT32": T.UINT32, "UINT64": T.UINT64, "INT8": T.INT8,
    "INT16": T.INT16, "INT32": T.INT32, "INT64": T.INT64, "FP16": T.FLOAT16, "FP32": T.FLOAT, "FP64": T.DOUBLE,
}

# Every datatype, strings too: a request's tensors are run as they are.
identities("echo_all", NUMBERS | {"BYTES": T.STRING}, ["n"])
# One model per datatype, whose rows are put together.
for kind, code in (NUMBERS | {"BF16": T.BFLOAT16}).items():
    identities(f"echo_{kind.lower()}", {kind: code}, ["n", 2])

# Every datatype with a shape of its own, and every rank.
SHAPED = NUMBERS | {"BF16": T.BFLOAT16, "BYTES": T.STRING}
save("echo_shapes",
     [h.make_node("Identity", [f"in_{k}"], [f"out_{k}"]) for k in SHAPED],
     [value(f"in_{k}", t, [f"{k}_a", f"{k}_b", f"{k}_c"]) for k, t in SHAPED.items()],
     [value(f"out_{k}", t, [f"{k}_a", f"{k}_b", f"{k}_c"]) for k, t in SHAPED.items()])
save("echo_ranks",
     [h.make_node("Identity", [f"in_{r}"], [f"out_{r}"]) for r in range(7)],
     [value(f"in_{r}", T.FLOAT, [f"d{r}_{a}" for a in range(r)]) for r in range(7)],
     [value(f"out_{r}", T.FLOAT, [f"d{r}_{a}" for a in range(r)]) for r in range(7)])

# Rows of four numbers to rows of two.
save("linear",
     [h.make_node("MatMul", ["x", "w"], ["xw"]), h.make_node("Add", ["xw", "b"], ["y"])],
     [value("x", T.FLOAT, ["n", 4])], [value("y", T.FLOAT, ["n", 2])],
     [("w", np.array([[1, -1], [2, 0.5], [3, 0], [4, 0.25]], np.float32)), ("b", np.array([0.5, -0.5], np.float32))])

# Two inputs and three outputs, for choosing among them.
save("two_in",
     [h.make_node("Add", ["a", "b"], ["sum"]), h.make_node("Sub", ["a", "b"], ["difference"]),
      h.make_node("Mul", ["a", "b"], ["product"])],
     [value("a", T.FLOAT, ["n", 2]), value("b", T.FLOAT, ["n", 2])],
     [value("sum", T.FLOAT, ["n", 2]), value("difference", T.FLOAT, ["n", 2]), value("product", T.FLOAT, ["n", 2])])

# Every dimension is variable.
save("nobatch", [h.make_node("Transpose", ["x"], ["y"], perm=[0, 2, 1])],
     [value("x", T.FLOAT, ["a", "b", "c"])], [value("y", T.FLOAT, ["a", "c", "b"])])

save("scalar", [h.make_node("Mul", ["x", "factor"], ["y"])],
     [value("x", T.FLOAT, ["n"]), value("factor", T.FLOAT, [])],
     [value("y", T.FLOAT, ["n"])])

save("one_row", [h.make_node("Neg", ["x"], ["y"])], [value("x", T.FLOAT, [1, 3])], [value("y", T.FLOAT, [1, 3])])

save("string_only", [h.make_node("Identity", ["text"], ["same"])],
     [value("text", T.STRING, ["n", 1])], [value("same", T.STRING, ["n", 1])])


def maps(name, map_output, **keys):
    save(name, [h.make_node("ZipMap", ["x"], ["scores"], domain="ai.onnx.ml", **keys)],
         [value("x", T.FLOAT, ["n", 3])], [map_output], ml=True)


def map_of(name, key):
    entry = h.make_map_type_proto(key, h.make_tensor_type_proto(T.FLOAT, []))
    return h.make_value_info(name, h.make_sequence_type_proto(entry))


# A sequence of maps, as scikit-learn's converters make it.
maps("maps", map_of("scores", T.INT64), classlabels_int64s=[0, 1, 2])
maps("named_maps", map_of("scores", T.STRING), classlabels_strings=['red', 'gr"een', 'blue'])

# Fails at run time for an index that the table does not have.
save("gather", [h.make_node("Gather", ["table", "index"], ["y"])],
     [value("index", T.INT64, ["n"])], [value("y", T.FLOAT, ["n"])],
     [("table", np.array([10, 20, 30], np.float32))])


def loop_body():
    """One round: a matrix product that keeps its result small."""
    return h.make_graph(
        [h.make_node("MatMul", ["m_in", "step"], ["m_out"]), h.make_node("Identity", ["go_in"], ["go_out"])], "round",
        [value("i", T.INT64, []), value("go_in", T.BOOL, []), value("m_in", T.FLOAT, [16, 16])],
        [value("go_out", T.BOOL, []), value("m_out", T.FLOAT, [16, 16])])


# Takes as long as it is asked to: so many rounds of a matrix product.
save("slow",
     [h.make_node("Loop", ["rounds", "", "start"], ["end"], body=loop_body()),
      h.make_node("ReduceSum", ["end"], ["y"], keepdims=0)],
     [value("rounds", T.INT64, [])], [value("y", T.FLOAT, [])],
     [("start", np.eye(16, dtype=np.float32)), ("step", np.eye(16, dtype=np.float32))])

(ROOT / "corrupt" / "1").mkdir(parents=True, exist_ok=True)
(ROOT / "corrupt" / "1" / "model.onnx").write_bytes(b"this is no model")
