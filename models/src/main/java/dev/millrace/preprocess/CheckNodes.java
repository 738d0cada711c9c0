// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.spec.Feature;
import dev.millrace.spec.Validation;
import dev.millrace.spec.ValueKind;

/// Writes what comes after a feature's transforms: its default and its validations.
///
/// Threads: one.
final class CheckNodes {
    /// From here on a double is rounded to a float that is infinite.
    private static final double TOO_LARGE = 0x1.ffffffp127;

    private final Nodes nodes;
    private final Rejections rejections;
    private final NumberNodes numbers;
    private final Feature feature;
    private final int width;
    private String columns;
    /// Where a value is null and has no default.
    private String isNull;
    /// Where a default was written, after which no validation looks.
    private String done;

    CheckNodes(Nodes nodes, Rejections rejections, NumberNodes numbers, Feature feature) {
        this.nodes = nodes;
        this.rejections = rejections;
        this.numbers = numbers;
        this.feature = feature;
        width = feature.columns().width();
    }

    /// A value as doubles, with the feature's default or NaN where it is null.
    static String filled(Nodes nodes, Feature feature, Value value) {
        Double fallback = feature.checks().fallback();
        return nodes.where(value.missing(), fallback == null ? Double.NaN : fallback, nodes.number(value));
    }

    /// Writes the value's columns.
    String write(Value value) {
        columns = value.kind() == ValueKind.VECTOR ? value.name() : filled(nodes, feature, value);
        isNull = feature.checks().fallback() == null ? value.missing() : null;
        feature.checks().validations().forEach(this::check);
        return columns;
    }

    private void check(Validation validation) {
        switch (validation.onFail()) {
            case FLAG -> {}
            case REJECT -> rejections.add(nodes.butNot(failed(validation), done));
            case CLIP -> {
                // Where it does not fail this changes nothing.
                String clipped = numbers.clip(columns, validation.min(), validation.max());
                columns = done == null
                        ? clipped
                        : nodes.where(done, feature.checks().fallback(), clipped);
            }
            case DEFAULT -> {
                String failed = nodes.butNot(failed(validation), done);
                columns = nodes.where(failed, feature.checks().fallback(), columns);
                done = nodes.or(done, failed);
            }
        }
    }

    /// Where a validation does not hold; null for nowhere.
    private String failed(Validation validation) {
        return switch (validation.check()) {
            case NOT_NULL -> isNull;
            case FINITE -> {
                String tooLarge = nodes.binary("GreaterOrEqual", nodes.unary("Abs", columns), nodes.number(TOO_LARGE));
                yield nodes.any(nodes.or(tooLarge, nodes.unary("IsNaN", columns)), width);
            }
            case BETWEEN -> {
                String below = nodes.binary("Less", columns, nodes.number(validation.min()));
                String above = nodes.binary("Greater", columns, nodes.number(validation.max()));
                yield nodes.any(nodes.or(below, above), width);
            }
        };
    }
}
