// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxGraph;
import dev.millrace.onnx.OnnxNode;
import dev.millrace.onnx.OnnxTensor;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;

/// Which values of a graph are tensors, which of those are of floats, and which were larger than halves can be when the
/// model ran on random inputs. The last is not seen from running what was made: ONNX Runtime computes in float where a
/// processor has no halves, and leaves casts out that would show it. Threads: one.
final class HalfTypes {
    private static final int RUNS = 2;
    private static final long SEED = 1;

    private final Set<String> tensors = new HashSet<>();
    private final Set<String> floats = new HashSet<>();
    private final Set<String> beyond = new HashSet<>();
    private boolean seen;

    HalfTypes(Path model, Scratch scratch) throws IOException {
        for (ValueInfo value : Exposed.values(model, scratch)) {
            if (value.kind() == ValueInfo.Kind.TENSOR) {
                add(value.name(), value.datatype() == DataType.FP32);
            }
        }
        try (Probe probe = Exposed.open(model, scratch)) {
            for (long size : Agreement.OPEN_SIZES) {
                if (probe.fits(0, size) && look(probe, size)) {
                    seen = true;
                    return;
                }
            }
        }
    }

    /// Whether the model runs where dimensions of any size have this one.
    private boolean look(Probe probe, long size) {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int run = 0; run < RUNS; run++) {
            try (Tensors inputs = probe.random(random, 0, size);
                    Tensors outputs = probe.run(inputs)) {
                for (int i = 0; i < outputs.all().length; i++) {
                    look(probe.outputs().get(i).name(), outputs.all()[i]);
                }
            } catch (OrtFailure _) {
                return false;
            }
        }
        return true;
    }

    private void look(String name, Tensor values) {
        for (long i = 0; values.datatype() == DataType.FP32 && i < values.elementCount(); i++) {
            float value = values.getFloat(i);
            if (Float.isFinite(value) && Math.abs(value) > HalfTensor.LARGEST) {
                beyond.add(name);
                return;
            }
        }
    }

    private HalfTypes(HalfTypes outside) {
        tensors.addAll(outside.tensors);
        floats.addAll(outside.floats);
        beyond.addAll(outside.beyond);
    }

    /// What is known in a branch or a loop: what is known outside, and what follows from it.
    ///
    /// @param node whose body it is
    /// @param constants those of the body
    HalfTypes within(OnnxNode node, OnnxGraph body, HalfConstants constants) throws IOException {
        HalfTypes inside = new HalfTypes(this);
        BodyTypes.floats(body, this).forEach(inside::add);
        new BodyRanges(inside, constants).follow(node, body);
        return inside;
    }

    /// Constants, which ONNX Runtime does not tell of.
    void addConstants(OnnxGraph graph) {
        for (OnnxTensor tensor : graph.initializers()) {
            add(tensor.name(), tensor.type() == ElementType.FLOAT);
        }
    }

    private void add(String name, boolean isFloat) {
        tensors.add(name);
        if (isFloat) {
            floats.add(name);
        }
    }

    /// Whether the model ran, so that it is known of each value of its graph what it was.
    boolean isSeen() {
        return seen;
    }

    boolean isTensor(String name) {
        return tensors.contains(name);
    }

    /// Notes that a value may be larger than halves can be.
    void addBeyond(String name) {
        if (!name.isEmpty()) {
            beyond.add(name);
        }
    }

    boolean isBeyond(String name) {
        return beyond.contains(name);
    }

    boolean isFloat(String name) {
        return floats.contains(name);
    }
}
