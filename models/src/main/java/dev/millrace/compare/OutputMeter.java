// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.util.Arrays;

/// Takes the differences between what two models give for one output. Threads: one.
final class OutputMeter {
    private final String name;
    private final Magnitudes sizes = new Magnitudes();
    private long elements;
    private long unequal;
    private long odd;

    OutputMeter(String name) {
        this.name = name;
    }

    void add(Tensor before, Tensor after) {
        if (!Arrays.equals(before.shape(), after.shape())) {
            throw new IllegalArgumentException("output '" + name + "' has shape " + Arrays.toString(after.shape())
                    + " in the one and " + Arrays.toString(before.shape()) + " in the other for the same rows");
        }
        boolean texts = before.datatype() == DataType.BYTES;
        boolean reals = before.datatype().isFloating() || after.datatype().isFloating();
        for (long i = 0; i < before.elementCount(); i++) {
            elements++;
            if (texts) {
                unequal += Arrays.equals(before.getBytes((int) i), after.getBytes((int) i)) ? 0 : 1;
            } else if (reals) {
                add(Values.number(before, i), Values.number(after, i));
            } else {
                add(Values.distance(before, after, i));
            }
        }
    }

    private void add(double before, double after) {
        if (before == after || (Double.isNaN(before) && Double.isNaN(after))) {
            sizes.add(0);
            return;
        }
        unequal++;
        double size = Math.abs(after - before);
        if (Double.isFinite(size)) {
            sizes.add(size);
        } else {
            odd++;
        }
    }

    private void add(double size) {
        unequal += size == 0 ? 0 : 1;
        sizes.add(size);
    }

    OutputDifference difference() {
        return OutputDifference.of(name, elements, unequal, odd, sizes);
    }
}
