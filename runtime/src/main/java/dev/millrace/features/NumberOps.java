// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;

/// Operations from a number to a number. All is computed in doubles, each operation rounded once,
/// and by StrictMath or [Trig] where it is more than arithmetic, so that every JVM gives the same
/// bits.
///
/// Threads: stateless.
final class NumberOps {
    private static final double MANY_TURNS = 1 << 17;

    private NumberOps() {}

    @Hot
    static double apply(Step step, double x) {
        switch (step.op) {
            case Op.STANDARDIZE:
                return (x - step.a) / step.b;
            case Op.SCALE:
                double scaled = x * step.a + step.b;
                return step.flag ? clip(scaled, step.c, step.d) : scaled;
            case Op.CLIP:
                return clip(x, step.a, step.b);
            case Op.LOG1P:
                return StrictMath.log1p(x);
            case Op.SQRT:
                return Math.sqrt(x);
            default:
                return more(step, x);
        }
    }

    @Hot
    private static double more(Step step, double x) {
        switch (step.op) {
            case Op.YEO_JOHNSON:
                return yeoJohnson(x, step.a);
            case Op.BOX_COX:
                return boxCox(x, step.a);
            case Op.CYCLICAL:
                return cyclical(step, x);
            default:
                return (float) x;
        }
    }

    /// Where in a period a number is, as sine or cosine.
    @Hot
    static double cyclical(Step step, double x) {
        double angle = turns(x / step.a) * 2 * Math.PI;
        return step.flag ? Trig.sin(angle) : Trig.cos(angle);
    }

    /// A number of turns; of very many, only what is left without whole ones. NaN for infinitely
    /// many.
    @Hot
    private static double turns(double turns) {
        return Math.abs(turns) < MANY_TURNS ? turns : turns - Math.rint(turns);
    }

    /// A number put between two others; NaN stays.
    @Hot
    static double clip(double x, double low, double high) {
        return x < low ? low : x > high ? high : x;
    }

    @Hot
    private static double yeoJohnson(double x, double lambda) {
        if (x >= 0) {
            return lambda == 0 ? StrictMath.log1p(x) : (StrictMath.pow(x + 1, lambda) - 1) / lambda;
        }
        return lambda == 2 ? -StrictMath.log1p(-x) : -(StrictMath.pow(1 - x, 2 - lambda) - 1) / (2 - lambda);
    }

    /// NaN for what is not positive.
    @Hot
    private static double boxCox(double x, double lambda) {
        if (!(x > 0)) {
            return Double.NaN;
        }
        return lambda == 0 ? StrictMath.log(x) : (StrictMath.pow(x, lambda) - 1) / lambda;
    }
}
