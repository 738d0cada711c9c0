// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import java.util.Arrays;

/// What one of XGBoost's objectives makes of sums, and of the `base_score` that they begin with.
///
/// @param link what it makes of sums
/// @param space what the base score is
record XgboostObjective(Link link, Space space) {
    static final String QUANTILE = "reg:quantileerror";

    /// What a base score is, other than a sum.
    enum Space {
        SUM,
        PROBABILITY,
        AMOUNT
    }

    static XgboostObjective of(String name) {
        return switch (name) {
            case "reg:squarederror",
                    "reg:linear",
                    "reg:squaredlogerror",
                    "reg:pseudohubererror",
                    "reg:absoluteerror",
                    QUANTILE,
                    "rank:pairwise",
                    "rank:ndcg",
                    "rank:map" -> new XgboostObjective(Link.NONE, Space.SUM);
            case "binary:logistic" -> new XgboostObjective(Link.BINARY, Space.PROBABILITY);
            case "binary:logitraw" -> new XgboostObjective(Link.NONE, Space.PROBABILITY);
            case "reg:logistic" -> new XgboostObjective(Link.LOGISTIC, Space.PROBABILITY);
            case "multi:softmax", "multi:softprob" -> new XgboostObjective(Link.SOFTMAX, Space.SUM);
            case "count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft" ->
                new XgboostObjective(Link.EXP, Space.AMOUNT);
            default ->
                throw new InvalidDumpException("its objective is " + DumpText.shown(name)
                        + ", expected one of XGBoost's, but for binary:hinge, which is not imported");
        };
    }

    /// What the sums begin with.
    ///
    /// @param score as it is written: a number, or from XGBoost 3 on one or several in brackets
    float[] margins(String score, int groups) {
        String inner = score.strip();
        if (inner.startsWith("[") && inner.endsWith("]")) {
            inner = inner.substring(1, inner.length() - 1);
        }
        String[] numbers = inner.split(",", -1);
        if (numbers.length != 1 && numbers.length != groups) {
            throw new InvalidDumpException(
                    "'base_score' has " + numbers.length + " numbers, expected one or " + groups);
        }
        float[] margins = new float[groups];
        for (int i = 0; i < numbers.length; i++) {
            margins[i] = margin(numbers[i].strip());
        }
        if (numbers.length == 1) {
            Arrays.fill(margins, margins[0]);
        }
        return margins;
    }

    private float margin(String number) {
        float score;
        try {
            score = DumpText.single(number);
        } catch (NumberFormatException _) {
            throw new InvalidDumpException("'base_score' has " + DumpText.shown(number) + ", expected a number");
        }
        float margin = switch (space) {
            case SUM -> score;
            case PROBABILITY -> (float) -Math.log(1 / score - 1);
            case AMOUNT -> (float) Math.log(score);
        };
        if (!Float.isFinite(margin)) {
            throw new InvalidDumpException("'base_score' is " + number + ", expected "
                    + switch (space) {
                        case SUM -> "a number";
                        case PROBABILITY -> "more than 0 and less than 1";
                        case AMOUNT -> "more than 0";
                    });
        }
        return margin;
    }
}
