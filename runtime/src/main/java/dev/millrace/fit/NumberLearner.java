// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

import dev.millrace.features.FeatureProbe;
import dev.millrace.features.FeatureRow;
import dev.millrace.spec.FeatureTemplate.Gap;
import dev.millrace.spec.FitOptions.Strategy;
import dev.millrace.spec.ValueKind;
import java.util.Arrays;
import java.util.stream.Collectors;

/// Learns means, ranges and quantiles. Threads: one.
final class NumberLearner extends Learner {
    private final boolean isWhole;
    private final Moments moments;
    private final Quantiles quantiles;
    private double min = Double.POSITIVE_INFINITY;
    private double max = Double.NEGATIVE_INFINITY;

    NumberLearner(Gap gap, int feature, ValueKind kind) {
        super(gap, feature);
        isWhole = kind == ValueKind.INTEGER;
        boolean mean = gap.options().strategy() == Strategy.MEAN;
        boolean isMoments =
                gap.operator().equals("standardize") || (gap.operator().equals("impute") && mean);
        moments = isMoments ? new Moments() : null;
        quantiles = isMoments || gap.operator().equals("minmax") ? null : new Quantiles();
    }

    @Override
    void take(FeatureProbe probe, int place, FeatureRow row) {
        double x = finite(probe.number(place));
        min = Math.min(min, x);
        max = Math.max(max, x);
        if (moments != null) {
            moments.add(x);
        }
        if (quantiles != null) {
            quantiles.add(x);
        }
    }

    @Override
    boolean isExact() {
        return quantiles == null || quantiles.isExact();
    }

    @Override
    String learned() {
        return switch (gap.operator()) {
            case "standardize" ->
                "{\"mean\": " + finite(moments.mean()) + ", \"std\": " + finite(moments.std(gap.ddof())) + "}";
            case "minmax" -> "{\"min\": " + min + ", \"max\": " + max + "}";
            case "robust" -> {
                double[] found = quantiles.at(0.25, 0.5, 0.75);
                yield "{\"median\": " + found[1] + ", \"iqr\": " + finite(found[2] - found[0]) + "}";
            }
            case "impute" -> {
                double value =
                        moments != null ? finite(moments.mean()) : quantiles.at(0.5)[0];
                yield "{\"value\": " + (isWhole ? Long.toString((long) Math.rint(value)) : Double.toString(value))
                        + "}";
            }
            default -> {
                String list = boundaries();
                yield gap.key() == null ? list : "{\"boundaries\": " + list + "}";
            }
        };
    }

    private String boundaries() {
        int bins = gap.options().bins();
        double[] parts = new double[bins + 1];
        for (int i = 0; i <= bins; i++) {
            parts[i] = (double) i / bins;
        }
        double[] edges = quantiles.at(gap.ends() ? parts : Arrays.copyOfRange(parts, 1, bins));
        double[] different = Arrays.stream(edges).distinct().toArray();
        if (gap.ends() && different.length < 2) {
            throw new IllegalArgumentException("all values are " + min + ", expected two that differ");
        }
        return Arrays.stream(different).mapToObj(Double::toString).collect(Collectors.joining(", ", "[", "]"));
    }
}
