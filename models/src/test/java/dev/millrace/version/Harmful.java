// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import static dev.millrace.version.Proto.FLOAT;
import static dev.millrace.version.Proto.INT64;
import static dev.millrace.version.Proto.attribute;
import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.input;
import static dev.millrace.version.Proto.int64s;
import static dev.millrace.version.Proto.join;
import static dev.millrace.version.Proto.model;
import static dev.millrace.version.Proto.names;
import static dev.millrace.version.Proto.node;
import static dev.millrace.version.Proto.output;
import static dev.millrace.version.Proto.tensor;
import static dev.millrace.version.Proto.value;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.LongStream;

/// Valid models that do harm.
final class Harmful {
    private static final int BOOL = 9;

    private Harmful() {}

    /// A decision tree as deep as it has decisions. ONNX Runtime walks down by recursion when it loads it: at some
    /// depth that overflows the stack and ends the process.
    static byte[] deepTree(int depth) {
        int nodes = 2 * depth + 1;
        String[] modes = new String[nodes];
        Arrays.fill(modes, 0, depth, "BRANCH_LEQ");
        Arrays.fill(modes, depth, nodes, "LEAF");
        long[] yes = LongStream.range(0, nodes).map(i -> i < depth ? i + 1 : 0).toArray();
        long[] no = LongStream.range(0, nodes)
                .map(i -> i < depth - 1 ? depth + 1 + i : i == depth - 1 ? nodes - 1 : 0)
                .toArray();
        long[] leaves = LongStream.range(depth, nodes).toArray();
        byte[] tree = field(
                1,
                field(1, "x"),
                field(2, "y"),
                field(4, "TreeEnsembleRegressor"),
                field(7, "ai.onnx.ml"),
                field(5, field(1, "n_targets"), field(3, 1), field(20, 2)),
                attribute("nodes_treeids", new long[nodes]),
                attribute("nodes_nodeids", LongStream.range(0, nodes).toArray()),
                attribute("nodes_featureids", new long[nodes]),
                floats("nodes_values", nodes),
                strings("nodes_modes", modes),
                attribute("nodes_truenodeids", yes),
                attribute("nodes_falsenodeids", no),
                attribute("target_treeids", new long[leaves.length]),
                attribute("target_nodeids", leaves),
                attribute("target_ids", new long[leaves.length]),
                floats("target_weights", leaves.length));
        return model(17, tree, input("x", FLOAT, -1, 4), output("y", FLOAT, -1, 1));
    }

    private static byte[] floats(String name, int count) {
        ByteBuffer values = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = count; i > 0; i--) {
            values.putFloat(i);
        }
        return field(5, field(1, name), field(7, values.array()), field(20, 6));
    }

    private static byte[] strings(String name, String... values) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (String value : values) {
            all.writeBytes(field(9, value));
        }
        return field(5, field(1, name), all.toByteArray(), field(20, 8));
    }

    /// A loop that goes round a trillion times: y = x + 1 + 1 and so on.
    static byte[] endless() {
        byte[] body = join(
                node("Add", names("v", "one"), names("next")),
                node("Identity", names("go"), names("on")),
                field(2, "body"),
                field(5, tensor("one", FLOAT, new long[0], field(4, new byte[] {0, 0, (byte) 0x80, 0x3f}))),
                field(11, value("i", INT64)),
                field(11, value("go", BOOL)),
                field(11, value("v", FLOAT, -1, 4)),
                field(12, value("on", BOOL)),
                field(12, value("next", FLOAT, -1, 4)));
        return model(
                17,
                node(
                        "Loop",
                        names("trips", "", "x"),
                        names("y"),
                        field(5, field(1, "body"), field(6, body), field(20, 5))),
                field(5, tensor("trips", INT64, new long[0], int64s(1_000_000_000_000L))),
                input("x", FLOAT, -1, 4),
                output("y", FLOAT, -1, 4));
    }

    /// y = x + the sum of so many copies of x's sum, which are in memory at the same time.
    static byte[] huge(long elements) {
        return model(
                17,
                node("ReduceSum", names("x"), names("s"), field(5, field(1, "keepdims"), field(3, 0), field(20, 2))),
                node("Expand", names("s", "shape"), names("e")),
                node("ReduceSum", names("e"), names("r"), field(5, field(1, "keepdims"), field(3, 0), field(20, 2))),
                node("Add", names("x", "r"), names("y")),
                field(5, tensor("shape", INT64, new long[] {1}, int64s(elements))),
                input("x", FLOAT, -1, 4),
                output("y", FLOAT, -1, 4));
    }

    /// Zeros that are made when the model is loaded.
    static byte[] hugeConstant(long elements) {
        return model(
                17,
                node("ConstantOfShape", names("shape"), names("e")),
                node("ReduceSum", names("e"), names("r"), field(5, field(1, "keepdims"), field(3, 0), field(20, 2))),
                node("Add", names("x", "r"), names("y")),
                field(5, tensor("shape", INT64, new long[] {1}, int64s(elements))),
                input("x", FLOAT, -1, 4),
                output("y", FLOAT, -1, 4));
    }
}
