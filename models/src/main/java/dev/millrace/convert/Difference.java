// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;

/// How far values are from those that they should be. Mutable; threads: one.
final class Difference {
    private double largest;
    private double magnitude;
    private boolean equal = true;
    private String obstacle;

    /// Takes two values of floats into account.
    void add(double should, double is) {
        if (Double.compare(should, is) == 0) {
            magnitude = Double.isFinite(should) ? Math.max(magnitude, Math.abs(should)) : magnitude;
            return;
        }
        equal = false;
        if (Double.isNaN(should) && Double.isNaN(is)) {
            return;
        }
        if (Double.isFinite(should) && Double.isFinite(is)) {
            magnitude = Math.max(magnitude, Math.abs(should));
            largest = Math.max(largest, Math.abs(should - is));
        } else {
            obstacle("came as " + is + ", expected " + should);
        }
    }

    /// Takes two elements into account; what are no floats have to be equal.
    void add(Tensor should, long shouldIndex, Tensor is, long isIndex) {
        DataType type = should.datatype();
        if (type.isFloating()) {
            add(should.getReal(shouldIndex), is.getReal(isIndex));
        } else if (type == DataType.BYTES) {
            String expected = should.getString((int) shouldIndex);
            if (!expected.equals(is.getString((int) isIndex))) {
                obstacle("came as '" + is.getString((int) isIndex) + "', expected '" + expected + "'");
            }
        } else if (should.getLong(shouldIndex) != is.getLong(isIndex)) {
            obstacle("came as " + is.getLong(isIndex) + ", expected " + should.getLong(shouldIndex));
        }
    }

    private void obstacle(String problem) {
        equal = false;
        if (obstacle == null) {
            obstacle = problem;
        }
    }

    /// What cannot be said as a number, the first of it; null if nothing.
    String obstacle() {
        return obstacle;
    }

    /// Whether all were equal to the bit.
    boolean isEqual() {
        return equal;
    }

    /// The largest difference.
    double largest() {
        return largest;
    }

    /// The largest difference as a part of the largest value.
    double relative() {
        return largest == 0 ? 0 : largest / Math.max(magnitude, Float.MIN_NORMAL);
    }

    /// Whether the largest difference is at most a part of the largest value.
    boolean isWithin(double tolerance) {
        return obstacle == null && largest <= tolerance * magnitude + 1e-7;
    }
}
