// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.onnx.ElementType;
import dev.millrace.onnx.OnnxAttribute;
import dev.millrace.spec.Transform;
import dev.millrace.spec.ValueKind;
import dev.millrace.spec.Vocabulary;
import java.util.List;

/// Operators of categories and intervals, and those that give several columns.
///
/// Threads: one.
final class CategoryNodes {
    private final Nodes nodes;
    private final Rejections rejections;

    CategoryNodes(Nodes nodes, Rejections rejections) {
        this.nodes = nodes;
        this.rejections = rejections;
    }

    /// The interval that a number is in: how many boundaries are below it.
    Value bucketize(Transform.Bucketize bucketize, Value value) {
        String x = nodes.number(value);
        double[] boundaries =
                bucketize.boundaries().stream().mapToDouble(Double::doubleValue).toArray();
        int last = boundaries.length - 1;
        String below =
                nodes.binary(bucketize.closedLeft() ? "GreaterOrEqual" : "Greater", x, nodes.numbers(boundaries));
        String count = boundaries.length == 1
                ? nodes.cast(below, ElementType.INT64)
                : nodes.node("ReduceSum", List.of(nodes.cast(below, ElementType.INT64), nodes.axis(1)));
        String absent = value.kind() == ValueKind.INTEGER
                ? value.missing()
                : nodes.or(value.missing(), nodes.unary("IsNaN", x));
        if (bucketize.outOfRange() == Transform.Bucketize.OutOfRange.BUCKET) {
            return bucket(bucketize, count, absent, boundaries.length + 1, null);
        }
        String index = nodes.binary("Sub", count, nodes.whole(1));
        index = nodes.binary("Min", nodes.binary("Max", index, nodes.whole(0)), nodes.whole(last - 1));
        String outside = bucketize.outOfRange() == Transform.Bucketize.OutOfRange.CLAMP
                ? null
                : nodes.or(
                        nodes.binary("Less", x, nodes.number(boundaries[0])),
                        nodes.binary("Greater", x, nodes.number(boundaries[last])));
        return bucket(bucketize, index, absent, last, outside);
    }

    /// @param absent where there was no number
    /// @param outside where the number has no interval; not where there was none
    private Value bucket(Transform.Bucketize bucketize, String index, String absent, long after, String outside) {
        return bucketize.missingBucket()
                ? new Value(
                        nodes.where(absent, nodes.whole(after), index),
                        ValueKind.INTEGER,
                        nodes.butNot(outside, absent))
                : new Value(index, ValueKind.INTEGER, nodes.or(absent, outside));
    }

    /// The place of a value in a vocabulary, -1 for others.
    private String place(Vocabulary vocabulary, Value value) {
        return value.kind() == ValueKind.TEXT
                ? nodes.placeOfText(value.name(), vocabulary.texts())
                : nodes.placeOfWhole(value.name(), vocabulary.integers());
    }

    Value vocab(Transform.Vocab vocab, Value value) {
        String place = place(vocab.vocabulary(), value);
        String unknown = nodes.butNot(nodes.binary("Less", place, nodes.whole(0)), value.missing());
        String missing = vocab.missingValue() == null ? value.missing() : null;
        switch (vocab.unknown()) {
            case VALUE -> place = nodes.where(unknown, nodes.whole(vocab.unknownValue()), place);
            case NULL -> missing = nodes.or(missing, unknown);
            case REJECT -> rejections.add(unknown);
            default -> throw new IllegalStateException(vocab.unknown().name());
        }
        if (vocab.missingValue() != null) {
            place = nodes.where(value.missing(), nodes.whole(vocab.missingValue()), place);
        }
        return new Value(place, ValueKind.INTEGER, missing);
    }

    Value oneHot(Transform.OneHot oneHot, Value value) {
        String found = place(oneHot.vocabulary(), value);
        String place = nodes.where(value.missing(), nodes.whole(-1), found);
        long[] columns = new long[oneHot.width()];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = (long) oneHot.dropped() + i;
        }
        if (oneHot.unknown() == Transform.OneHot.Unknown.BUCKET) {
            columns[columns.length - 1] = -1;
        } else if (oneHot.unknown() == Transform.OneHot.Unknown.REJECT) {
            rejections.add(nodes.binary("Less", place, nodes.whole(0)));
        }
        String equal = nodes.binary("Equal", place, nodes.wholes(columns));
        return new Value(nodes.cast(equal, ElementType.DOUBLE), ValueKind.VECTOR, null);
    }

    /// A row of a table, which has one of zeros at its end if others are to have that.
    Value embed(Transform.Embed embed, Value value) {
        int width = embed.table().width();
        int rows = embed.table().rows();
        double[] numbers = new double[(rows + (embed.missingRow() < 0 ? 1 : 0)) * width];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < width; column++) {
                numbers[row * width + column] = embed.table().value(row, column);
            }
        }
        String other = nodes.or(
                nodes.binary("Less", value.name(), nodes.whole(0)),
                nodes.binary("GreaterOrEqual", value.name(), nodes.whole(rows)));
        String row = nodes.where(
                nodes.or(value.missing(), other),
                nodes.whole(embed.missingRow() < 0 ? rows : embed.missingRow()),
                value.name());
        String flat = nodes.node("Squeeze", List.of(row, nodes.axis(1)));
        String found = nodes.node("Gather", List.of(nodes.table(width, numbers), flat), OnnxAttribute.of("axis", 0));
        return new Value(found, ValueKind.VECTOR, null);
    }
}
