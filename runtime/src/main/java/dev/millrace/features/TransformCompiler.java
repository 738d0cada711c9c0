// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.Feature;
import dev.millrace.spec.Literal;
import dev.millrace.spec.Transform;
import dev.millrace.spec.Treatment;
import dev.millrace.spec.Validation;
import dev.millrace.spec.ValueKind;
import dev.millrace.spec.ValueType;
import dev.millrace.spec.Vocabulary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Makes steps of what a feature's treatment and transforms say.
///
/// Threads: one per feature.
final class TransformCompiler {
    /// Below this a range counts as none, as in scikit-learn: ten times the distance from 1 to the
    /// next double.
    private static final double LEAST_SPREAD = 10 * 0x1p-52;

    /// Minutes of a day; its seconds would take too much memory.
    private static final int MOST_PARTS = 1440;

    private final Constants constants;
    private final List<Step> steps = new ArrayList<>();
    /// What the steps so far give.
    private ValueKind kind;
    /// The next indicator's column, counted from the feature's first.
    private int indicator;

    private TransformCompiler(FeatureSteps feature, ValueKind kind, Constants constants) {
        this.kind = kind;
        this.constants = constants;
        indicator = feature.width;
    }

    /// Compiles a feature.
    ///
    /// @param kind what its first input is
    static void compile(FeatureSteps steps, ValueKind kind, Constants constants) {
        TransformCompiler compiler = new TransformCompiler(steps, kind, constants);
        Feature feature = steps.feature;
        compiler.treat(feature.treatment());
        steps.starts = new int[feature.transforms().size()];
        steps.takes = new ValueKind[steps.starts.length];
        for (int i = 0; i < steps.starts.length; i++) {
            steps.starts[i] = compiler.steps.size();
            steps.takes[i] = compiler.kind;
            compiler.transform(feature.transforms().get(i));
        }
        steps.steps = compiler.steps.toArray(Step[]::new);
        steps.result = compiler.kind;
        Double fallback = feature.checks().fallback();
        steps.hasDefault = fallback != null;
        steps.fallback = fallback == null ? 0 : fallback;
        List<Validation> validations = feature.checks().validations();
        int count = validations.size();
        steps.checks = new int[count];
        steps.onFail = new int[count];
        steps.min = new double[count];
        steps.max = new double[count];
        steps.expectations = new String[count];
        for (int i = 0; i < count; i++) {
            Validation validation = validations.get(i);
            steps.checks[i] = validation.check().ordinal();
            steps.onFail[i] = validation.onFail().ordinal();
            steps.min[i] = validation.min();
            steps.max[i] = validation.max();
            steps.expectations[i] = switch (validation.check()) {
                case FINITE -> "a finite number that a float32 holds";
                case NOT_NULL -> "a value";
                case BETWEEN -> "a number from " + validation.min() + " to " + validation.max();
            };
        }
    }

    private Step add(int op, String label, ValueKind result) {
        Step step = new Step(op, label, result);
        step.takes = kind;
        steps.add(step);
        kind = result;
        return step;
    }

    private void treat(Treatment treatment) {
        Treatment.Outlier outlier = treatment.outlier();
        if (outlier != null && outlier.treatment() != Treatment.Outlier.As.AS_IS) {
            Step step = add(kind == ValueKind.NUMBER ? Op.OUTLIER_NUMBER : Op.OUTLIER_INTEGER, "outlier", kind);
            step.a = outlier.low();
            step.b = outlier.high();
            step.n = (long) outlier.low();
            step.m = (long) outlier.high();
            step.flag = outlier.treatment() == Treatment.Outlier.As.AS_MISSING;
        }
        Step missing = null;
        if (treatment.missing() != null) {
            missing = missing(
                    "missing", treatment.missing().value(), treatment.missing().indicator());
            missing.flag = treatment.missing().reject();
            missing.expectation = "a value";
        }
        if (treatment.invalid() != null) {
            invalid(treatment.invalid()).missing = missing;
        }
    }

    private Step missing(String label, Literal value, String indicatorName) {
        Step step = add(Op.MISSING, label, kind);
        step.replace = value != null;
        step.n = value == null ? 0 : constants.of(value);
        step.i = indicatorName == null ? -1 : indicator++;
        return step;
    }

    private Step invalid(Treatment.Invalid invalid) {
        int op = kind == ValueKind.NUMBER
                ? Op.INVALID_NUMBER
                : kind == ValueKind.TEXT ? Op.INVALID_TEXT : Op.INVALID_INTEGER;
        Step step = add(op, "invalid", kind);
        step.a = invalid.min();
        step.b = invalid.max();
        step.j = invalid.treatment().ordinal();
        step.n = invalid.value() == null ? 0 : constants.of(invalid.value());
        step.expectation = "a valid value";
        if (op == Op.INVALID_NUMBER) {
            step.expectation = "a finite number from " + invalid.min() + " to " + invalid.max();
        }
        if (invalid.values() == null) {
            return step;
        }
        List<String> texts = new ArrayList<>();
        List<Long> integers = new ArrayList<>();
        for (Literal literal : invalid.values()) {
            if (literal instanceof Literal.Text(String text) && !texts.contains(text)) {
                texts.add(text);
            } else if (literal instanceof Literal.Whole(long number) && !integers.contains(number)) {
                integers.add(number);
            }
        }
        if (op == Op.INVALID_TEXT) {
            step.texts = new TextIndex(texts);
        } else {
            step.integers = new LongIndex(integers);
        }
        return step;
    }

    /// A step from a number to a number, after one that makes it one if need be.
    private Step number(int op, String label) {
        if (kind == ValueKind.INTEGER) {
            add(Op.TO_NUMBER, "number", ValueKind.NUMBER);
        }
        return add(op, label, ValueKind.NUMBER);
    }

    private static double divisor(double spread) {
        return spread < LEAST_SPREAD ? 1 : spread;
    }

    private void transform(Transform transform) {
        switch (transform) {
            case Transform.Standardize(double mean, double std) -> {
                Step step = number(Op.STANDARDIZE, "standardize");
                step.a = mean;
                step.b = std == 0 ? 1 : std;
            }
            case Transform.Robust(double median, double iqr) -> {
                Step step = number(Op.STANDARDIZE, "robust");
                step.a = median;
                step.b = divisor(iqr);
            }
            case Transform.MinMax scaling -> {
                Step step = number(Op.SCALE, "minmax");
                step.a = (scaling.high() - scaling.low()) / divisor(scaling.max() - scaling.min());
                step.b = scaling.low() - scaling.min() * step.a;
                step.c = scaling.low();
                step.d = scaling.high();
                step.flag = scaling.clip();
            }
            case Transform.Clip(double low, double high) -> {
                Step step = number(Op.CLIP, "clip");
                step.a = low;
                step.b = high;
            }
            case Transform.Log1p _ -> number(Op.LOG1P, "log1p");
            case Transform.Sqrt _ -> number(Op.SQRT, "sqrt");
            case Transform.Power(Transform.Power.Method method, double lambda) ->
                number(method == Transform.Power.Method.BOX_COX ? Op.BOX_COX : Op.YEO_JOHNSON, "power").a = lambda;
            case Transform.Impute(Literal value, String name) -> missing("impute", value, name);
            case Transform.Cast(ValueType to) -> cast(to);
            default -> category(transform);
        }
    }

    private void category(Transform transform) {
        switch (transform) {
            case Transform.Bucketize bucketize -> bucketize(bucketize);
            case Transform.Vocab vocab -> vocab(vocab);
            case Transform.OneHot oneHot -> oneHot(oneHot);
            case Transform.Hash(int buckets, int seed) -> {
                Step step = add(kind == ValueKind.TEXT ? Op.HASH_TEXT : Op.HASH_INTEGER, "hash", ValueKind.INTEGER);
                step.i = buckets;
                step.j = seed;
            }
            case Transform.Cross(int buckets, int seed) -> {
                Step step = add(Op.CROSS, "cross", ValueKind.INTEGER);
                step.i = buckets;
                step.j = seed;
            }
            case Transform.Embed embed -> embed(embed);
            case Transform.Cyclical cyclical -> {
                if (cyclical.part() != null) {
                    datePart(new Transform.DateTime(cyclical.part(), cyclical.zone()));
                }
                cyclical(cyclical);
            }
            case Transform.DateTime dateTime -> datePart(dateTime);
            case Transform.Concat _ -> add(Op.CONCAT, "concat", ValueKind.VECTOR);
            case Transform.Subtract _ -> add(Op.SUBTRACT, "subtract", ValueKind.NUMBER);
            case Transform.Divide _ -> add(Op.DIVIDE, "divide", ValueKind.NUMBER);
            case Transform.Equal _ -> add(Op.EQUAL, "equal", ValueKind.INTEGER);
            case Transform.Elapsed(Transform.Elapsed.Unit unit) ->
                add(Op.ELAPSED, "elapsed", ValueKind.NUMBER).a = unit.micros();
            default -> throw new IllegalStateException(transform.toString());
        }
    }

    /// Of a part of a time that has few values all are worked out here.
    private void cyclical(Transform.Cyclical cyclical) {
        int values = cyclical.part() == null ? 0 : cyclical.part().period();
        boolean few = values > 0 && values <= MOST_PARTS;
        Step step = few ? add(Op.CYCLICAL_PART, "cyclical", ValueKind.NUMBER) : number(Op.CYCLICAL, "cyclical");
        step.a = cyclical.period();
        step.flag = cyclical.sine();
        if (few) {
            // Months begin with 1.
            step.numbers = new double[values + 1];
            for (int i = 0; i <= values; i++) {
                step.numbers[i] = NumberOps.cyclical(step, (double) i);
            }
        }
    }

    private void datePart(Transform.DateTime dateTime) {
        Step step = add(Op.DATE_PART, dateTime.part().word(), ValueKind.INTEGER);
        step.part = dateTime.part();
        step.zone = new ZoneTable(dateTime.zone());
    }

    private void bucketize(Transform.Bucketize bucketize) {
        if (kind == ValueKind.INTEGER) {
            add(Op.TO_NUMBER, "number", ValueKind.NUMBER);
        }
        Step step = add(Op.BUCKETIZE, "bucketize", ValueKind.INTEGER);
        step.numbers =
                bucketize.boundaries().stream().mapToDouble(Double::doubleValue).toArray();
        step.flag = bucketize.closedLeft();
        step.j = bucketize.outOfRange().ordinal();
        int count = step.numbers.length + (bucketize.outOfRange() == Transform.Bucketize.OutOfRange.BUCKET ? 1 : -1);
        step.k = bucketize.missingBucket() ? count : -1;
    }

    /// A step that finds a category, by text or by number.
    private Step lookup(int textOp, int integerOp, String label, ValueKind result, Vocabulary vocabulary) {
        boolean text = kind == ValueKind.TEXT;
        Step step = add(text ? textOp : integerOp, label, result);
        if (text) {
            step.texts = new TextIndex(vocabulary.texts());
        } else {
            step.integers = new LongIndex(vocabulary.integers());
        }
        step.expectation =
                "one of " + vocabulary.size() + " categories, the first of them '" + vocabulary.name(0) + "'";
        return step;
    }

    private void vocab(Transform.Vocab vocab) {
        Step step = lookup(Op.VOCAB_TEXT, Op.VOCAB_INTEGER, "vocab", ValueKind.INTEGER, vocab.vocabulary());
        step.j = vocab.unknown().ordinal();
        step.n = vocab.unknownValue();
        step.i = vocab.vocabulary().size();
        step.k = vocab.oovBuckets();
        step.flag = vocab.missingValue() != null;
        step.m = step.flag ? vocab.missingValue() : 0;
    }

    private void oneHot(Transform.OneHot oneHot) {
        Step step = lookup(Op.ONE_HOT_TEXT, Op.ONE_HOT_INTEGER, "one_hot", ValueKind.VECTOR, oneHot.vocabulary());
        step.j = oneHot.unknown().ordinal();
        step.k = oneHot.dropped();
        step.i = oneHot.width();
    }

    private void embed(Transform.Embed embed) {
        Step step = add(Op.EMBED, "embed", ValueKind.VECTOR);
        step.i = embed.table().width();
        step.j = embed.table().rows();
        step.k = embed.missingRow();
        step.numbers = new double[step.i * step.j];
        for (int row = 0; row < step.j; row++) {
            for (int column = 0; column < step.i; column++) {
                step.numbers[row * step.i + column] = embed.table().value(row, column);
            }
        }
    }

    private void cast(ValueType to) {
        String label = "cast to " + to.name().toLowerCase(Locale.ROOT);
        boolean whole = kind == ValueKind.INTEGER;
        switch (to) {
            case FLOAT64, FLOAT32 -> {
                if (whole) {
                    add(Op.TO_NUMBER, label, ValueKind.NUMBER);
                }
                if (to == ValueType.FLOAT32) {
                    add(Op.TO_FLOAT, label, ValueKind.NUMBER);
                }
            }
            case BOOL -> add(whole ? Op.TO_BOOL_INTEGER : Op.TO_BOOL_NUMBER, label, ValueKind.INTEGER);
            default -> {
                Step step = add(whole ? Op.TO_NARROW : Op.TO_INTEGER, label, ValueKind.INTEGER);
                step.n = to == ValueType.INT32 ? Integer.MIN_VALUE : Long.MIN_VALUE;
                step.m = to == ValueType.INT32 ? Integer.MAX_VALUE : Long.MAX_VALUE;
            }
        }
    }
}
