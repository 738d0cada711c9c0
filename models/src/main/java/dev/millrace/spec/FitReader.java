// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.yaml.YamlNode.Scalar;

/// Reads how a transform's gap is to be filled.
///
/// Threads: one.
///
/// @param section the transform's parameters
/// @param operator the transform's name
/// @param index which of the feature's transforms it is
record FitReader(Section section, String operator, String feature, int index) {
    private static final int MOST_BINS = 1 << 16;
    private static final int MOST_CATEGORIES = 1 << 22;
    private static final String PREFIX = "file:";

    /// What `fit` says, and what goes without saying.
    static FitOptions options(Section section) {
        Place place = section.at("fit");
        if (place == null) {
            return new FitOptions(FitOptions.Strategy.MEAN, 0, FitOptions.Order.VALUE, MOST_CATEGORIES, 1);
        }
        Section fit = new Section("fit", place, section.problems());
        return new FitOptions(
                fit.choice("strategy", FitOptions.Strategy.MEAN),
                (int) fit.integer("bins", 0, 2, MOST_BINS),
                fit.choice("order", FitOptions.Order.VALUE),
                (int) fit.integer("max_size", MOST_CATEGORIES, 1, MOST_CATEGORIES),
                fit.integer("min_count", 1, 1, Long.MAX_VALUE));
    }

    /// Parameters that the operator takes, whatever it is given.
    String placeholder() {
        return switch (operator) {
            case "standardize" -> "{mean: 0, std: 1}";
            case "minmax" -> "{min: 0, max: 1}";
            case "robust" -> "{median: 0, iqr: 1}";
            case "impute" -> "{value: 0}";
            case "bucketize" -> "{boundaries: [0, 1]}";
            default -> "{lambda: 1}";
        };
    }

    /// A list, or what stands where there is none yet; null, which is noted, if it cannot be read.
    Place list(StateFiles files, Place place) {
        return files.isGap(place) ? files.gap(place, gap(place, null), "[0, 1]") : files.list(place);
    }

    /// The gap at a reference.
    ///
    /// @param key its name in a file of state; null where the file is a list
    FeatureTemplate.Gap gap(Place place, String key) {
        Scalar reference = (Scalar) place.node();
        FitOptions options = section.takes("fit")
                ? options(section)
                : new FitOptions(FitOptions.Strategy.MEAN, 0, FitOptions.Order.VALUE, 1, 1);
        boolean isBucketize = operator.equals("bucketize");
        if (operator.equals("power")) {
            section.problems()
                    .add(
                            place,
                            "'" + reference.text() + "' came, expected a lambda: that of power is not learned here");
        }
        if (isBucketize && options.bins() == 0) {
            section.problems()
                    .add(place, "'" + reference.text() + "' came without fit.bins, expected how many intervals");
        }
        return new FeatureTemplate.Gap(
                feature,
                index,
                operator,
                reference.text().substring(PREFIX.length()),
                key,
                options,
                operator.equals("standardize") ? (int) section.integer("ddof", 0, 0, 1) : 0,
                isBucketize && !"bucket".equals(section.word("out_of_range", "bucket")),
                reference.line(),
                reference.column());
    }
}
