# SPDX-License-Identifier: Apache-2.0
"""Makes what ReferenceTest compares with: small models of floats, data, and what onnxruntime.quantization makes of them.

    pip install onnx==1.23.1 onnxruntime==1.30.0 numpy scipy
    python make.py ../../../../zoo/fraud/1/model.onnx

    python make.py FOLDER     # of QuantizedLatency: writes big.reference.onnx beside its models

NAME.onnx are models, NAME.f32 the rows that they are calibrated on (floats, little-endian, in batches of 32), and
NAME.VARIANT.onnx what the tool wrote.
"""
import functools
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, calibrate
from onnxruntime.quantization import quantize_dynamic, quantize_static

BATCH = 32
HERE = os.path.dirname(os.path.abspath(__file__))
RANDOM = np.random.default_rng(7)


class Rows(calibrate.CalibrationDataReader):
    def __init__(self, name, rows):
        self.batches = iter([{name: rows[i : i + BATCH]} for i in range(0, len(rows), BATCH)])

    def get_next(self):
        return next(self.batches, None)


def constant(name, *shape, scale=1.0):
    return numpy_helper.from_array((RANDOM.standard_normal(shape) * scale).astype(np.float32), name)


def save(name, nodes, constants, row, out):
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *row])],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, ["batch", *out])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="make.py")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{HERE}/{name}.onnx")
    RANDOM.standard_normal((64, *row)).astype("<f4").tofile(f"{HERE}/{name}.f32")


def mlp():
    widths = [24, 40, 40, 24, 1]
    nodes, constants, value = [], [], "x"
    for i, (n, m) in enumerate(zip(widths, widths[1:])):
        turned = i % 2
        constants += [constant(f"w{i}", *((m, n) if turned else (n, m)), scale=n**-0.5), constant(f"b{i}", m)]
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"s{i}"], f"gemm{i}", transB=turned))
        value = f"s{i}"
        if i < len(widths) - 2:
            nodes.append(helper.make_node("Relu", [value], [f"h{i}"], f"relu{i}"))
            value = f"h{i}"
    save("mlp", nodes, constants, [24], [1])


def conv():
    constants = [
        constant("w0", 8, 3, 3, 3, scale=0.3),
        constant("b0", 8),
        constant("w1", 8, 8, 3, 3, scale=0.15),
        constant("w2", 8, 1, 3, 3, scale=0.3),
        constant("w3", 24, 16, scale=0.3),
        constant("shift", 16),
        constant("w4", 16, 4, scale=0.3),
        constant("shared", 8),
        numpy_helper.from_array(np.float32(0), "zero"),
        numpy_helper.from_array(np.float32(6), "six"),
        numpy_helper.from_array(np.array([0, -1], dtype=np.int64), "flat"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c0"], "conv0", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c0"], ["r0"], "relu0"),
        helper.make_node("MaxPool", ["r0"], ["p0"], "pool0", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p0", "w1", "shared"], ["c1"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["c1", "zero", "six"], ["r1"], "clip1"),
        helper.make_node("Conv", ["r1", "w2", "shared"], ["c2"], "conv2", pads=[1, 1, 1, 1], group=8),
        helper.make_node("Add", ["c2", "p0"], ["sum"], "add"),
        helper.make_node("LeakyRelu", ["sum"], ["leaky"], "leaky", alpha=0.1),
        helper.make_node("Concat", ["leaky", "p0", "r1"], ["all"], "concat", axis=1),
        helper.make_node("GlobalAveragePool", ["all"], ["mean"], "mean"),
        helper.make_node("Reshape", ["mean", "flat"], ["row"], "reshape"),
        helper.make_node("MatMul", ["row", "w3"], ["m"], "matmul"),
        helper.make_node("Add", ["m", "shift"], ["shifted"], "shift"),
        helper.make_node("Sigmoid", ["shifted"], ["gate"], "sigmoid"),
        helper.make_node("Mul", ["gate", "shifted"], ["swish"], "mul"),
        helper.make_node("MatMul", ["swish", "w4"], ["logits"], "last"),
        helper.make_node("Softmax", ["logits"], ["y"], "softmax"),
    ]
    save("conv", nodes, constants, [3, 8, 8], [4])


def static(name, variant, folder=HERE, **options):
    source = f"{folder}/{name}.onnx" if name != "fraud" else sys.argv[1]
    model = onnx.load(source)
    value = model.graph.input[0]
    row = [dim.dim_value for dim in value.type.tensor_type.shape.dim[1:]]
    rows = np.fromfile(f"{folder}/{name}.f32", "<f4").reshape(-1, *row)
    options = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8, **options}
    quantize_static(source, f"{folder}/{name}.{variant}.onnx", Rows(value.name, rows), QuantFormat.QDQ, **options)


def main():
    if os.path.isdir(sys.argv[1]):
        return static("big", "reference", sys.argv[1])
    mlp()
    conv()
    spread = np.exp(RANDOM.standard_normal((64, 22)) * 2) * RANDOM.choice([0, 1], (64, 22))
    spread.astype("<f4").tofile(f"{HERE}/fraud.f32")
    for name in ["fraud", "mlp", "conv"]:
        static(name, "minmax")
        static(name, "percentile", calibrate_method=CalibrationMethod.Percentile)
    static("conv", "channels", per_channel=True, reduce_range=True)
    static("mlp", "channels", per_channel=True)
    static("conv", "signed", activation_type=QuantType.QInt8, nodes_to_exclude=["conv0"])
    tool = sys.modules[quantize_static.__module__]
    tool.create_calibrator = functools.partial(with_bins, tool.create_calibrator)
    for name in ["fraud", "mlp", "conv"]:
        static(name, "entropy", calibrate_method=CalibrationMethod.Entropy)
    for name in ["mlp", "conv"]:
        quantize_dynamic(f"{HERE}/{name}.onnx", f"{HERE}/{name}.dynamic.onnx", ["MatMul"])


def with_bins(create, *args, extra_options, **kwargs):
    return create(*args, extra_options={**extra_options, "num_bins": 2048}, **kwargs)


if __name__ == "__main__":
    main()
