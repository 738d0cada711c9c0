// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.onnx.ElementType;
import dev.millrace.spec.Transform;
import dev.millrace.spec.ValueKind;

/// Operators that make one value of two, null where one of them is.
///
/// Threads: one.
final class PairNodes {
    private final Nodes nodes;

    PairNodes(Nodes nodes) {
        this.nodes = nodes;
    }

    /// Writes a difference, quotient, comparison or length of time.
    Value write(Transform transform, Value x, Value y) {
        boolean equal = transform instanceof Transform.Equal;
        String made = switch (transform) {
            case Transform.Subtract _ -> nodes.binary("Sub", nodes.number(x), nodes.number(y));
            case Transform.Divide _ -> nodes.binary("Div", nodes.number(x), nodes.number(y));
            case Transform.Equal _ -> nodes.cast(nodes.binary("Equal", x.name(), y.name()), ElementType.INT64);
            case Transform.Elapsed(Transform.Elapsed.Unit unit) ->
                nodes.binary("Div", between(x.name(), y.name()), nodes.number((double) unit.micros()));
            default -> throw new IllegalStateException(transform.toString());
        };
        return new Value(made, equal ? ValueKind.INTEGER : ValueKind.NUMBER, nodes.or(x.missing(), y.missing()));
    }

    /// Microseconds between two times, also where they are more than 64 bits can tell.
    private String between(String then, String before) {
        String difference = nodes.binary("Sub", then, before);
        String isNegative = nodes.binary("Less", then, nodes.whole(0));
        String signsDiffer = nodes.binary("Xor", isNegative, nodes.binary("Less", before, nodes.whole(0)));
        String turned = nodes.binary("Xor", isNegative, nodes.binary("Less", difference, nodes.whole(0)));
        String wide = nodes.binary("Sub", nodes.cast(then, ElementType.DOUBLE), nodes.cast(before, ElementType.DOUBLE));
        return nodes.where(nodes.binary("And", signsDiffer, turned), wide, nodes.cast(difference, ElementType.DOUBLE));
    }
}
