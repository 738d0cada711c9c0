// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.onnx.ElementType;
import dev.millrace.spec.Feature;
import dev.millrace.spec.Literal;
import dev.millrace.spec.Transform;
import dev.millrace.spec.Treatment;
import dev.millrace.spec.ValueKind;
import java.util.ArrayList;
import java.util.List;

/// Writes one feature from its raw values to its columns.
///
/// Threads: one.
final class FeatureNodes {
    private final Nodes nodes;
    private final Rejections rejections;
    private final NumberNodes numbers;
    private final CategoryNodes categories;
    private final TimeNodes times;
    private final Feature feature;
    private final List<Value> inputs;
    /// Truth values that are false, one for each row.
    private final String never;
    /// Where a value was missing, by indicator.
    private final List<String> indicators = new ArrayList<>();

    private Value value;

    /// @param inputs the raw values
    /// @param never truth values that are false, one for each row
    FeatureNodes(Nodes nodes, Rejections rejections, Feature feature, List<Value> inputs, String never) {
        this.nodes = nodes;
        this.rejections = rejections;
        this.feature = feature;
        this.inputs = inputs;
        this.never = never;
        numbers = new NumberNodes(nodes);
        categories = new CategoryNodes(nodes, rejections);
        times = new TimeNodes(nodes);
        value = inputs.getFirst();
    }

    /// Writes what is done before the validations, which is what other features see.
    Value transformed() {
        Treatment treatment = feature.treatment();
        outlier(treatment.outlier());
        String indicated = null;
        if (treatment.missing() != null) {
            indicated = missing(treatment.missing().value(), treatment.missing().reject());
        }
        if (treatment.invalid() != null) {
            String invalid = invalid(treatment.invalid(), treatment.missing());
            indicated = nodes.or(indicated, invalid);
        }
        if (treatment.missing() != null && treatment.missing().indicator() != null) {
            indicators.add(indicated);
        }
        feature.transforms().forEach(this::transform);
        return value;
    }

    /// Writes the columns of what [#transformed] gave, and of the indicators.
    List<String> columns() {
        List<String> columns = new ArrayList<>();
        columns.add(new CheckNodes(nodes, rejections, numbers, feature).write(value));
        for (String indicator : indicators) {
            columns.add(nodes.cast(indicator == null ? never : indicator, ElementType.DOUBLE));
        }
        return columns;
    }

    private void outlier(Treatment.Outlier outlier) {
        if (outlier == null || outlier.treatment() == Treatment.Outlier.As.AS_IS) {
            return;
        }
        String x = nodes.number(value);
        String below = nodes.binary("Less", x, nodes.number(outlier.low()));
        String above = nodes.binary("Greater", x, nodes.number(outlier.high()));
        if (outlier.treatment() == Treatment.Outlier.As.AS_MISSING) {
            value = value.missing(nodes.or(value.missing(), nodes.or(below, above)));
            return;
        }
        String upTo = nodes.where(above, bound(outlier.high()), value.name());
        value = value.as(nodes.where(below, bound(outlier.low()), upTo), value.kind());
    }

    private Literal bound(double bound) {
        return value.kind() == ValueKind.NUMBER ? new Literal.Real(bound) : new Literal.Whole((long) bound);
    }

    /// Where there is neither a value nor a number.
    private String isMissing() {
        return value.kind() == ValueKind.NUMBER
                ? nodes.or(value.missing(), nodes.unary("IsNaN", value.name()))
                : value.missing();
    }

    /// Writes what is done with missing values; where they were.
    private String missing(Literal with, boolean reject) {
        String isMissing = isMissing();
        if (reject) {
            rejections.add(isMissing);
        } else if (with != null) {
            value = new Value(nodes.where(isMissing, with, value.name()), value.kind(), null);
        }
        return isMissing;
    }

    /// Writes what is done with invalid values; where they became missing.
    private String invalid(Treatment.Invalid invalid, Treatment.Missing missing) {
        String wrong = nodes.butNot(isInvalid(invalid), value.missing());
        switch (invalid.treatment()) {
            case AS_IS -> {
                return null;
            }
            case REJECT -> {
                rejections.add(wrong);
                return null;
            }
            case AS_VALUE -> {
                if (wrong != null) {
                    value = value.as(nodes.where(wrong, invalid.value(), value.name()), value.kind());
                }
                return null;
            }
            default -> {
                becomeMissing(wrong, missing);
                return wrong;
            }
        }
    }

    private void becomeMissing(String wrong, Treatment.Missing missing) {
        if (wrong == null) {
            return;
        }
        if (missing != null && missing.reject()) {
            rejections.add(wrong);
        }
        if (missing != null && missing.value() != null) {
            value = value.as(nodes.where(wrong, missing.value(), value.name()), value.kind());
        } else {
            value = value.missing(nodes.or(value.missing(), wrong));
        }
    }

    /// Where a value is invalid, if there is one; null for nowhere.
    private String isInvalid(Treatment.Invalid invalid) {
        String wrong = null;
        if (value.kind() != ValueKind.TEXT) {
            String x = nodes.number(value);
            wrong = value.kind() == ValueKind.NUMBER ? nodes.unary("IsInf", x) : null;
            if (invalid.min() > Double.NEGATIVE_INFINITY) {
                wrong = nodes.or(wrong, nodes.binary("Less", x, nodes.number(invalid.min())));
            }
            if (invalid.max() < Double.POSITIVE_INFINITY) {
                wrong = nodes.or(wrong, nodes.binary("Greater", x, nodes.number(invalid.max())));
            }
        }
        if (invalid.values() == null) {
            return wrong;
        }
        String place = value.kind() == ValueKind.TEXT
                ? nodes.placeOfText(value.name(), texts(invalid.values()))
                : nodes.placeOfWhole(value.name(), wholes(invalid.values()));
        return nodes.or(wrong, nodes.binary("Less", place, nodes.whole(0)));
    }

    private static List<String> texts(List<Literal> literals) {
        return literals.stream()
                .map(literal -> ((Literal.Text) literal).value())
                .distinct()
                .toList();
    }

    private static List<Long> wholes(List<Literal> literals) {
        return literals.stream()
                .map(literal -> ((Literal.Whole) literal).value())
                .distinct()
                .toList();
    }

    private void transform(Transform transform) {
        value = switch (transform) {
            case Transform.Impute(Literal with, String indicator) -> {
                String isMissing = missing(with, false);
                if (indicator != null) {
                    indicators.add(isMissing);
                }
                yield value;
            }
            case Transform.Bucketize bucketize -> categories.bucketize(bucketize, value);
            case Transform.Vocab vocab -> categories.vocab(vocab, value);
            case Transform.OneHot oneHot -> categories.oneHot(oneHot, value);
            case Transform.Embed embed -> categories.embed(embed, value);
            case Transform.DateTime date -> times.part(date.part(), date.zone(), value);
            case Transform.Cyclical cyclical ->
                numbers.cyclical(
                        cyclical,
                        cyclical.part() == null ? value : times.part(cyclical.part(), cyclical.zone(), value));
            case Transform.Cast cast -> numbers.cast(cast.to(), value);
            case Transform.Concat _ -> concat();
            case Transform.Subtract _, Transform.Divide _, Transform.Equal _, Transform.Elapsed _ ->
                new PairNodes(nodes).write(transform, inputs.getFirst(), inputs.getLast());
            default -> numbers.write(transform, value);
        };
    }

    /// Several numbers side by side. Null is the default or NaN, and where one is that stays null the
    /// whole is.
    private Value concat() {
        List<String> columns = new ArrayList<>();
        String anyNull = null;
        for (Value input : inputs) {
            columns.add(CheckNodes.filled(nodes, feature, input));
            anyNull = nodes.or(anyNull, feature.checks().fallback() == null ? input.missing() : null);
        }
        return new Value(nodes.columns(columns), ValueKind.VECTOR, anyNull);
    }
}
