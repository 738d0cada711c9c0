// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static dev.millrace.server.OnnxBytes.BOOL;
import static dev.millrace.server.OnnxBytes.FLOAT;
import static dev.millrace.server.OnnxBytes.INT64;
import static dev.millrace.server.OnnxBytes.attribute;
import static dev.millrace.server.OnnxBytes.constant;
import static dev.millrace.server.OnnxBytes.field;
import static dev.millrace.server.OnnxBytes.floats;
import static dev.millrace.server.OnnxBytes.input;
import static dev.millrace.server.OnnxBytes.ints;
import static dev.millrace.server.OnnxBytes.join;
import static dev.millrace.server.OnnxBytes.model;
import static dev.millrace.server.OnnxBytes.node;
import static dev.millrace.server.OnnxBytes.number;
import static dev.millrace.server.OnnxBytes.output;
import static dev.millrace.server.OnnxBytes.single;
import static dev.millrace.server.OnnxBytes.text;
import static dev.millrace.server.OnnxBytes.value;

import java.io.ByteArrayOutputStream;

/// Models that do harm, or that cannot be loaded, as files have them. Those that are valid take and give what the test
/// model `linear` does.
public final class Harmful {
    private static final int DEPTH = 50_000;
    private static final int NODES = 2 * DEPTH + 1;
    private static final int LEAVES = NODES - DEPTH;

    private Harmful() {}

    /// A valid model that ends the process which loads it: a decision tree so deep that ONNX Runtime, which walks down
    /// by recursion, runs out of stack.
    public static byte[] crashing() {
        float[] values = new float[NODES];
        for (int i = 0; i < NODES; i++) {
            values[i] = NODES - i;
        }
        byte[] tree = node(
                "TreeEnsembleRegressor",
                "x",
                "y",
                text(7, "ai.onnx.ml"),
                attribute("n_targets", 2),
                ints("nodes_treeids", NODES, _ -> 0),
                ints("nodes_nodeids", NODES, i -> i),
                ints("nodes_featureids", NODES, _ -> 0),
                floats("nodes_values", values),
                modes(),
                // Those below the threshold go one deeper, the others to a leaf of their own.
                ints("nodes_truenodeids", NODES, i -> i < DEPTH ? i + 1 : 0),
                ints("nodes_falsenodeids", NODES, Harmful::leafOf),
                ints("target_treeids", LEAVES, _ -> 0),
                ints("target_nodeids", LEAVES, i -> DEPTH + i),
                ints("target_ids", LEAVES, _ -> 0),
                floats("target_weights", new float[LEAVES]));
        return model(tree, input("x", 4), output("y", 2));
    }

    private static long leafOf(int decision) {
        if (decision >= DEPTH) {
            return 0;
        }
        return decision == DEPTH - 1 ? NODES - 1 : DEPTH + 1 + decision;
    }

    private static byte[] modes() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < NODES; i++) {
            all.writeBytes(text(9, i < DEPTH ? "BRANCH_LEQ" : "LEAF"));
        }
        return field(5, text(1, "nodes_modes"), all.toByteArray(), number(20, 8));
    }

    /// A valid model whose runs do not end: a loop that goes round a trillion times.
    public static byte[] endless() {
        byte[] body = join(
                node("Add", "v one", "next"),
                node("Identity", "go", "on"),
                text(2, "body"),
                floats("one", new float[] {1}, new long[0]),
                field(11, value("i", INT64, 0)),
                field(11, value("go", BOOL, 0)),
                field(11, value("v", FLOAT, 2)),
                field(12, value("on", BOOL, 0)),
                field(12, value("next", FLOAT, 2)));
        return model(
                node("MatMul", "x w", "v"),
                node("Loop", "trips - v", "y", attribute("body", body)),
                floats("w", new float[8], 4, 2),
                single("trips", 1_000_000_000_000L),
                input("x", 4),
                output("y", 2));
    }

    /// A model with an operator that there is not.
    public static byte[] unknownOperator() {
        return model(node("Frobnicate", "x", "y"), input("x", 4), output("y", 2));
    }

    /// A model with a constant that lies in another file.
    public static byte[] externalData(String file) {
        byte[] weights = constant(
                "w",
                FLOAT,
                new long[] {4, 2},
                field(13, text(1, "location"), text(2, file)),
                field(13, text(1, "offset"), text(2, "0")),
                field(13, text(1, "length"), text(2, "32")),
                number(14, 1));
        return model(node("MatMul", "x w", "y"), weights, input("x", 4), output("y", 2));
    }

    /// What is a protocol buffer, but no model: a graph without a version of anything.
    public static byte[] otherMessage() {
        return field(7, text(2, "graph"));
    }
}
