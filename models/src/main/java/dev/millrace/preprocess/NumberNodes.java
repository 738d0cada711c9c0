// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.onnx.ElementType;
import dev.millrace.spec.Transform;
import dev.millrace.spec.ValueKind;
import dev.millrace.spec.ValueType;

/// Operators from a number to a number, one node for each rounding that the plan does.
///
/// Threads: one.
final class NumberNodes {
    /// Below this a range counts as none.
    private static final double LEAST_SPREAD = 10 * 0x1p-52;

    private static final double MANY_TURNS = 1 << 17;
    private static final double TWO_TO_63 = 0x1p63;

    private final Nodes nodes;

    NumberNodes(Nodes nodes) {
        this.nodes = nodes;
    }

    /// Writes a scaling, clipping, root, logarithm or power.
    Value write(Transform transform, Value value) {
        String x = nodes.number(value);
        String y = switch (transform) {
            case Transform.Standardize(double mean, double std) -> standardize(x, mean, std == 0 ? 1 : std);
            case Transform.Robust(double median, double iqr) -> standardize(x, median, divisor(iqr));
            case Transform.MinMax scaling -> scale(x, scaling);
            case Transform.Clip(double low, double high) -> clip(x, low, high);
            case Transform.Log1p _ -> log1p(x);
            case Transform.Sqrt _ -> nodes.unary("Sqrt", x);
            case Transform.Power(Transform.Power.Method method, double lambda) ->
                method == Transform.Power.Method.BOX_COX ? boxCox(x, lambda) : yeoJohnson(x, lambda);
            default -> throw new IllegalStateException(transform.toString());
        };
        return value.as(y, ValueKind.NUMBER);
    }

    private static double divisor(double spread) {
        return spread < LEAST_SPREAD ? 1 : spread;
    }

    private String standardize(String x, double mean, double divisor) {
        return nodes.binary("Div", nodes.binary("Sub", x, nodes.number(mean)), nodes.number(divisor));
    }

    private String scale(String x, Transform.MinMax scaling) {
        double factor = (scaling.high() - scaling.low()) / divisor(scaling.max() - scaling.min());
        double summand = scaling.low() - scaling.min() * factor;
        String scaled = nodes.binary("Add", nodes.binary("Mul", x, nodes.number(factor)), nodes.number(summand));
        return scaling.clip() ? clip(scaled, scaling.low(), scaling.high()) : scaled;
    }

    /// By comparisons: `Clip` leaves open which zero comes out, and what of NaN.
    String clip(String x, double low, double high) {
        String upTo = nodes.where(nodes.binary("Greater", x, nodes.number(high)), high, x);
        return nodes.where(nodes.binary("Less", x, nodes.number(low)), low, upTo);
    }

    /// ln(1 + x), which ONNX does not have: ln(u) · (x / (u − 1)) of u = 1 + x makes up for what was
    /// rounded off in u.
    private String log1p(String x) {
        String one = nodes.number(1);
        String u = nodes.binary("Add", x, one);
        String rest = nodes.binary("Sub", u, one);
        String share = nodes.binary("Div", x, rest);
        String log = nodes.unary("Log", u);
        String made = nodes.binary("Mul", log, share);
        // Of infinity the share is NaN; where nothing is left of x in u, the logarithm is x.
        String large = nodes.where(nodes.unary("IsInf", u), log, made);
        String some = nodes.binary("Greater", nodes.unary("Abs", rest), nodes.number(0));
        return nodes.where(some, large, x);
    }

    private String powerOf(String base, double lambda) {
        String power = nodes.binary("Pow", base, nodes.number(lambda));
        return nodes.binary("Sub", power, nodes.number(1));
    }

    private String yeoJohnson(String x, double lambda) {
        String one = nodes.number(1);
        String above = lambda == 0
                ? log1p(x)
                : nodes.binary("Div", powerOf(nodes.binary("Add", x, one), lambda), nodes.number(lambda));
        String below;
        if (lambda == 2) {
            below = nodes.unary("Neg", log1p(nodes.unary("Neg", x)));
        } else {
            String power = powerOf(nodes.binary("Sub", one, x), 2 - lambda);
            below = nodes.binary("Div", nodes.unary("Neg", power), nodes.number(2 - lambda));
        }
        return nodes.where(nodes.binary("Less", x, nodes.number(0)), below, above);
    }

    private String boxCox(String x, double lambda) {
        String made =
                lambda == 0 ? nodes.unary("Log", x) : nodes.binary("Div", powerOf(x, lambda), nodes.number(lambda));
        return nodes.where(nodes.binary("LessOrEqual", x, nodes.number(0)), Double.NaN, made);
    }

    /// Sine or cosine of a number that begins again after a period.
    Value cyclical(Transform.Cyclical cyclical, Value value) {
        String turns = nodes.binary("Div", nodes.number(value), nodes.number(cyclical.period()));
        String many = nodes.binary("GreaterOrEqual", nodes.unary("Abs", turns), nodes.number(MANY_TURNS));
        String left = nodes.binary("Sub", turns, nodes.unary("Round", turns));
        String twice = nodes.binary("Mul", nodes.where(many, left, turns), nodes.number(2));
        String angle = nodes.binary("Mul", twice, nodes.number(Math.PI));
        return value.as(nodes.unary(cyclical.sine() ? "Sin" : "Cos", angle), ValueKind.NUMBER);
    }

    /// A number of another type.
    Value cast(ValueType to, Value value) {
        boolean whole = value.kind() == ValueKind.INTEGER;
        return switch (to) {
            case FLOAT64 -> value.as(nodes.number(value), ValueKind.NUMBER);
            case FLOAT32 -> {
                String rounded = nodes.cast(nodes.number(value), ElementType.FLOAT);
                yield value.as(nodes.cast(rounded, ElementType.DOUBLE), ValueKind.NUMBER);
            }
            case BOOL -> {
                String zero = whole ? nodes.whole(0) : nodes.number(0);
                String isZero = nodes.binary("Equal", value.name(), zero);
                String other = nodes.cast(nodes.unary("Not", isZero), ElementType.INT64);
                yield nanIsNull(value).as(other, ValueKind.INTEGER);
            }
            case INT32 -> narrow(whole ? value : toWhole(value));
            default -> whole ? value : toWhole(value);
        };
    }

    private Value narrow(Value value) {
        String least = nodes.binary("Max", value.name(), nodes.whole(Integer.MIN_VALUE));
        return value.as(nodes.binary("Min", least, nodes.whole(Integer.MAX_VALUE)), ValueKind.INTEGER);
    }

    /// Towards 0, put into the range of 64 bits. What `Cast` makes of others is not defined, so it
    /// is not asked to.
    private Value toWhole(Value value) {
        String x = value.name();
        String fits = nodes.binary("Less", nodes.unary("Abs", x), nodes.number(TWO_TO_63));
        String cast = nodes.cast(nodes.where(fits, x, nodes.number(0)), ElementType.INT64);
        String top = nodes.where(
                nodes.binary("GreaterOrEqual", x, nodes.number(TWO_TO_63)), nodes.whole(Long.MAX_VALUE), cast);
        String all =
                nodes.where(nodes.binary("LessOrEqual", x, nodes.number(-TWO_TO_63)), nodes.whole(Long.MIN_VALUE), top);
        return nanIsNull(value).as(all, ValueKind.INTEGER);
    }

    private Value nanIsNull(Value value) {
        return value.kind() == ValueKind.INTEGER
                ? value
                : value.missing(nodes.or(value.missing(), nodes.unary("IsNaN", value.name())));
    }
}
