# SPDX-License-Identifier: Apache-2.0
"""Makes the small models that the tests read. The build does not need it: the files are checked in.

Run it here with Python 3 and the packages onnx and numpy: python3 make_models.py
"""

import numpy as np
from onnx import TensorProto as T
from onnx import checker, helper, numpy_helper, save

RANDOM = np.random.default_rng(20261122)


def constant(name, values, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def write(name, nodes, inputs, outputs, initializers=(), ml=False):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(initializers))
    opsets = [helper.make_opsetid("", 17)]
    if ml:
        opsets.append(helper.make_opsetid("ai.onnx.ml", 3))
    model = helper.make_model(graph, opset_imports=opsets, producer_name="millrace-tests")
    model.ir_version = 8
    helper.set_model_props(model, {"purpose": name})
    checker.check_model(model)
    save(model, name + ".onnx")


def info(name, datatype, shape):
    return helper.make_tensor_value_info(name, datatype, shape)


def mlp():
    sizes = [64, 128, 64, 1]
    nodes, weights, value = [], [], "features"
    for layer in range(3):
        fan_in, fan_out = sizes[layer], sizes[layer + 1]
        weights.append(constant(f"w{layer}", RANDOM.normal(0, fan_in**-0.5, (fan_in, fan_out))))
        weights.append(constant(f"b{layer}", RANDOM.normal(0, 0.1, fan_out)))
        last = layer == 2
        linear = "score" if last else f"linear{layer}"
        nodes.append(helper.make_node("Gemm", [value, f"w{layer}", f"b{layer}"], [linear]))
        if not last:
            nodes.append(helper.make_node("Relu", [linear], [f"relu{layer}"]))
            value = f"relu{layer}"
    write("mlp", nodes, [info("features", T.FLOAT, ["N", 64])], [info("score", T.FLOAT, ["N", 1])], weights)


def two_inputs():
    """Rows of two inputs of different types, two outputs, all exact: sum = a[0..3] + b, flag = b > 0."""
    nodes = [
        helper.make_node("Cast", ["b"], ["bf"], to=T.FLOAT),
        helper.make_node("Add", ["a", "bf"], ["sum"]),
        helper.make_node("Greater", ["b", "zero"], ["flag"]),
    ]
    write(
        "two_inputs",
        nodes,
        [info("a", T.FLOAT, ["N", 4]), info("b", T.INT64, ["N", 1])],
        [info("sum", T.FLOAT, ["N", 4]), info("flag", T.BOOL, ["N", 1])],
        [constant("zero", [0], np.int64)],
    )


def softmax_over_rows():
    node = helper.make_node("Softmax", ["x"], ["y"], axis=0)
    write("softmax_over_rows", [node], [info("x", T.FLOAT, ["N", 4])], [info("y", T.FLOAT, ["N", 4])])


def dynamically_quantized():
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["q", "w", "zero"], ["product"]),
        helper.make_node("Cast", ["product"], ["productf"], to=T.FLOAT),
        helper.make_node("Mul", ["productf", "scale"], ["y"]),
    ]
    weights = [constant("w", RANDOM.integers(-127, 127, (8, 3)), np.int8)]
    write("dynamically_quantized", nodes, [info("x", T.FLOAT, ["N", 8])], [info("y", T.FLOAT, ["N", 3])], weights)


def fixed_batch():
    node = helper.make_node("Add", ["x", "c"], ["y"])
    write(
        "fixed_batch",
        [node],
        [info("x", T.FLOAT, [1, 4])],
        [info("y", T.FLOAT, [1, 4])],
        [constant("c", [1, 2, 3, 4])],
    )


def scalar():
    node = helper.make_node("Mul", ["x", "c"], ["y"])
    write("scalar", [node], [info("x", T.FLOAT, [])], [info("y", T.FLOAT, [])], [constant("c", 3.0)])


def strings():
    node = helper.make_node("Identity", ["x"], ["y"])
    write("strings", [node], [info("x", T.STRING, ["N"])], [info("y", T.STRING, ["N"])])


def variable_shapes():
    """Rows of variable size: y = 2x, and their sum over the last axis."""
    nodes = [
        helper.make_node("Mul", ["x", "c"], ["y"]),
        helper.make_node("ReduceSum", ["y", "axes"], ["total"], keepdims=0),
    ]
    write(
        "variable_shapes",
        nodes,
        [info("x", T.FLOAT, ["N", "M"])],
        [info("y", T.FLOAT, ["N", "M"]), info("total", T.FLOAT, ["N"])],
        [constant("c", 2.0), constant("axes", [-1], np.int64)],
    )


def zip_map():
    node = helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_strings=["cat", "dog", "ape"])
    maps = helper.make_value_info(
        "y",
        helper.make_sequence_type_proto(
            helper.make_map_type_proto(T.STRING, helper.make_tensor_type_proto(T.FLOAT, []))
        ),
    )
    write("zip_map", [node], [info("x", T.FLOAT, ["N", 3])], [maps], ml=True)


def types():
    """One output per element type that rows may have: y = x for each."""
    names = {
        "f64": T.DOUBLE, "f16": T.FLOAT16, "i64": T.INT64, "i32": T.INT32, "i16": T.INT16, "i8": T.INT8,
        "u8": T.UINT8, "bool": T.BOOL,
    }
    write(
        "types",
        [helper.make_node("Identity", [n], [n + "_out"]) for n in names],
        [info(n, t, ["N", 3]) for n, t in names.items()],
        [info(n + "_out", t, ["N", 3]) for n, t in names.items()],
    )


def unsigned():
    """Element types that ONNX Runtime's Java API cannot pass."""
    names = {"u16": T.UINT16, "u32": T.UINT32, "u64": T.UINT64}
    write(
        "unsigned",
        [helper.make_node("Identity", [n], [n + "_out"]) for n in names],
        [info(n, t, ["N", 2]) for n, t in names.items()],
        [info(n + "_out", t, ["N", 2]) for n, t in names.items()],
    )


def fails_on_index():
    """y = table[x]: an index out of range fails the run."""
    node = helper.make_node("Gather", ["table", "x"], ["y"])
    write(
        "fails_on_index",
        [node],
        [info("x", T.INT64, ["N", 1])],
        [info("y", T.FLOAT, ["N", 1])],
        [constant("table", [10, 11, 12, 13])],
    )


def collapsing():
    """One row comes out whatever goes in."""
    nodes = [helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=1)]
    write(
        "collapsing",
        nodes,
        [info("x", T.FLOAT, ["N", 4])],
        [info("y", T.FLOAT, [1, 4])],
        [constant("axes", [0], np.int64)],
    )


for make in [
    mlp, two_inputs, softmax_over_rows, dynamically_quantized, fixed_batch, scalar, strings, variable_shapes, zip_map,
    types, unsigned, fails_on_index, collapsing,
]:
    make()
