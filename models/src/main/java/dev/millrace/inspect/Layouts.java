// SPDX-License-Identifier: Apache-2.0
package dev.millrace.inspect;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The shapes of what is made by operators that move elements, and the elements of small ones. Stateless.
final class Layouts {
    private Layouts() {}

    static Fact concat(Step step) {
        Fact first = step.known(0);
        int axis = first.axis(step.number("axis", 1));
        long[] shape = first.shape().clone();
        boolean small = first.values() != null && first.rank() == 1;
        for (int i = 1; i < step.inputs(); i++) {
            shape[axis] = Math.addExact(shape[axis], step.shape(i)[axis]);
            small &= step.in(i).values() != null;
        }
        if (!small || shape[0] > Fact.MAX_VALUES) {
            return Fact.of(shape);
        }
        long[] values = new long[(int) shape[0]];
        int at = 0;
        for (int i = 0; i < step.inputs(); i++) {
            long[] part = step.values(i);
            System.arraycopy(part, 0, values, at, part.length);
            at += part.length;
        }
        return new Fact(shape, values);
    }

    static Fact transpose(Step step) {
        long[] shape = step.shape(0);
        long[] order = step.numbers("perm");
        long[] moved = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            moved[i] = shape[order == null ? shape.length - 1 - i : (int) order[i]];
        }
        return new Fact(moved, shape.length < 2 ? step.in(0).values() : null);
    }

    static Fact reshape(Step step) {
        Fact data = step.known(0);
        long[] shape = step.numbers("shape", 1).clone();
        boolean keepsZeros = step.number("allowzero", 0) == 1;
        int open = -1;
        long known = 1;
        for (int i = 0; i < shape.length; i++) {
            if (shape[i] == 0 && !keepsZeros) {
                shape[i] = data.shape()[i];
            }
            if (shape[i] == -1) {
                open = i;
            } else {
                known = Math.multiplyExact(known, shape[i]);
            }
        }
        if (open >= 0) {
            shape[open] = data.elements() / known;
            known *= shape[open];
        }
        if (known != data.elements()) {
            throw new IllegalArgumentException("shapes that do not fit");
        }
        return new Fact(shape, data.values());
    }

    static Fact squeeze(Step step) {
        Fact data = step.known(0);
        long[] axes = step.numbers("axes", 1);
        boolean[] gone = new boolean[data.rank()];
        for (int i = 0; i < gone.length; i++) {
            gone[i] = axes == null && data.shape()[i] == 1;
        }
        for (long axis : axes == null ? new long[0] : axes) {
            gone[data.axis(axis)] = true;
        }
        List<Long> shape = new ArrayList<>();
        for (int i = 0; i < gone.length; i++) {
            if (!gone[i]) {
                shape.add(data.shape()[i]);
            }
        }
        return new Fact(shape.stream().mapToLong(Long::longValue).toArray(), data.values());
    }

    static Fact unsqueeze(Step step) {
        Fact data = step.known(0);
        long[] axes = step.numbers("axes", 1);
        long[] shape = new long[data.rank() + axes.length];
        Arrays.fill(shape, -1);
        for (long axis : axes) {
            shape[(int) (axis < 0 ? axis + shape.length : axis)] = 1;
        }
        int from = 0;
        for (int i = 0; i < shape.length; i++) {
            shape[i] = shape[i] == 1 ? 1 : data.shape()[from++];
        }
        return new Fact(shape, data.values());
    }

    static Fact slice(Step step) {
        Fact data = step.known(0);
        long[] starts = step.numbers("starts", 1);
        long[] ends = step.numbers("ends", 2);
        long[] axes = step.numbers("axes", 3);
        long[] steps = step.has("starts") ? null : step.numbers("steps", 4);
        long[] shape = data.shape().clone();
        long first = 0;
        for (int i = 0; i < starts.length; i++) {
            int axis = data.axis(axes == null ? i : axes[i]);
            long stride = steps == null ? 1 : steps[i];
            long size = data.shape()[axis];
            first = bound(starts[i], size, 0, stride > 0 ? size : size - 1);
            long end = bound(ends[i], size, stride > 0 ? 0 : -1, stride > 0 ? size : size - 1);
            shape[axis] = Math.max(0, Math.ceilDiv(end - first, stride));
        }
        if (data.values() == null || data.rank() != 1 || starts.length != 1) {
            return Fact.of(shape);
        }
        long[] values = new long[(int) shape[0]];
        for (int i = 0; i < values.length; i++) {
            values[i] = data.values()[(int) (first + i * (steps == null ? 1 : steps[0]))];
        }
        return new Fact(shape, values);
    }

    private static long bound(long index, long size, long least, long most) {
        long from = index < 0 ? index + size : index;
        return Math.clamp(from, Math.min(least, most), Math.max(least, most));
    }

    static Fact gather(Step step) {
        Fact data = step.known(0);
        Fact indices = step.known(1);
        int axis = data.axis(step.number("axis", 0));
        long[] shape = new long[data.rank() - 1 + indices.rank()];
        System.arraycopy(data.shape(), 0, shape, 0, axis);
        System.arraycopy(indices.shape(), 0, shape, axis, indices.rank());
        System.arraycopy(data.shape(), axis + 1, shape, axis + indices.rank(), data.rank() - 1 - axis);
        if (data.values() == null || indices.values() == null || data.rank() != 1) {
            return Fact.of(shape);
        }
        long[] values = Arrays.stream(indices.values())
                .map(index -> data.values()[(int) (index < 0 ? index + data.values().length : index)])
                .toArray();
        return new Fact(shape, values);
    }

    static Fact pad(Step step) {
        Fact data = step.known(0);
        long[] pads = step.numbers("pads", 1);
        if (step.isGiven(3)) {
            throw new Step.UnknownShape();
        }
        long[] shape = data.shape().clone();
        for (int i = 0; i < shape.length; i++) {
            shape[i] = Math.addExact(shape[i], Math.addExact(pads[i], pads[shape.length + i]));
        }
        return Fact.of(shape);
    }

    static Fact expand(Step step) {
        return Fact.of(Shapes.broadcast(step.shape(0), step.values(1)));
    }

    static Fact tile(Step step) {
        long[] shape = step.shape(0).clone();
        long[] repeats = step.values(1);
        Arrays.setAll(shape, i -> Math.multiplyExact(shape[i], repeats[i]));
        return Fact.of(shape);
    }

    static Fact depthToSpace(Step step) {
        long[] shape = step.shape(0);
        long block = step.number("blocksize", 1);
        return Fact.of(shape[0], shape[1] / (block * block), shape[2] * block, shape[3] * block);
    }

    static Fact spaceToDepth(Step step) {
        long[] shape = step.shape(0);
        long block = step.number("blocksize", 1);
        return Fact.of(shape[0], shape[1] * block * block, shape[2] / block, shape[3] / block);
    }
}
