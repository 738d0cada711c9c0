// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// The words of the file: which keys each of its mappings has, which of them it must have, and
/// which words a key may have for a value. The readers take no other, and the schema for editors is
/// held to it by a test.
final class Grammar {
    /// A mapping of the file.
    ///
    /// @param keys all keys that it may have
    /// @param required those that it must have
    record Shape(List<String> keys, List<String> required) {}

    private static final String STATE = " state state_key";

    /// The mappings by name. Those of transforms are called as the transform is.
    static final Map<String, Shape> SHAPES = Map.ofEntries(
            shape("spec", "apiVersion kind name version features output", "entities sources request"),
            shape("entity", "name join_keys type", ""),
            shape(
                    "view",
                    "kind fields",
                    "entity timestamp_field created_timestamp_field ttl on_stale on_missing_entity"
                            + " on_unavailable"),
            shape("view_field", "name type", "default"),
            shape("request_field", "name type", "required"),
            shape("feature", "name", "input inputs treat transform validate default emit monitor"),
            shape("treat", "", "outlier missing invalid"),
            shape("outlier", "low high treatment", ""),
            shape("missing", "treatment", "value indicator"),
            shape("invalid", "treatment", "value min max values"),
            shape("validation", "", "finite not_null between on_fail mostly"),
            shape("between", "min max", ""),
            shape("output", "tensor type layout", ""),
            shape("standardize", "", "mean std ddof" + STATE),
            shape("minmax", "", "min max low high clip" + STATE),
            shape("robust", "", "median iqr" + STATE),
            shape("fit", "", "strategy bins order max_size min_count"),
            shape("clip", "low high", ""),
            shape("log1p", "", ""),
            shape("sqrt", "", ""),
            shape("power", "method", "lambda" + STATE),
            shape("impute", "", "value indicator fit" + STATE),
            shape("bucketize", "closed", "boundaries out_of_range nan fit" + STATE),
            shape("vocab", "values unknown", "unknown_value oov_buckets missing_value fit"),
            shape("one_hot", "vocab unknown", "drop fit"),
            shape("hash", "buckets algorithm", "seed"),
            shape("cross", "buckets algorithm", "seed"),
            shape("embed", "table", "missing_row"),
            shape("cyclical", "fn", "part zone period"),
            shape("datetime", "part zone", ""),
            shape("concat", "", ""),
            shape("subtract", "", ""),
            shape("divide", "", ""),
            shape("equal", "", ""),
            shape("elapsed", "unit", ""),
            shape("cast", "to", ""));

    /// The transforms' names.
    static final List<String> TRANSFORMS = List.of(
            "standardize",
            "minmax",
            "robust",
            "clip",
            "log1p",
            "sqrt",
            "power",
            "impute",
            "bucketize",
            "vocab",
            "one_hot",
            "hash",
            "cross",
            "embed",
            "cyclical",
            "datetime",
            "concat",
            "subtract",
            "divide",
            "equal",
            "elapsed",
            "cast");

    /// Those that make one of several inputs.
    static final List<String> COMBINING = List.of("concat", "cross", "subtract", "divide", "equal", "elapsed");

    private static final String MURMUR = "murmur3_x86_32";
    private static final List<String> PARTS =
            Arrays.stream(DatePart.values()).map(DatePart::word).toList();

    /// What keys may have for values where only some words are allowed, by `mapping.key`.
    static final Map<String, List<String>> WORDS = Map.ofEntries(
            words("spec.apiVersion", "v1"),
            words("spec.kind", "FeaturePipeline"),
            words("entity.type", "int64", "string"),
            words("view.kind", FeatureView.Kind.class),
            words("view.on_stale", FeatureView.OnStale.class),
            words("view.on_missing_entity", FeatureView.OnMissing.class),
            words("view.on_unavailable", FeatureView.OnUnavailable.class),
            Map.entry("view_field.type", types()),
            Map.entry("request_field.type", types()),
            words("outlier.treatment", Treatment.Outlier.As.class),
            words("missing.treatment", "as_is", "as_value", "as_mean", "as_median", "as_mode", "reject"),
            words("invalid.treatment", Treatment.Invalid.As.class),
            words("validation.on_fail", Validation.OnFail.class),
            words("output.type", "float32"),
            words("output.layout", "row"),
            words("fit.strategy", FitOptions.Strategy.class),
            words("fit.order", FitOptions.Order.class),
            words("power.method", Transform.Power.Method.class),
            words("bucketize.closed", "left", "right"),
            words("bucketize.out_of_range", Transform.Bucketize.OutOfRange.class),
            words("bucketize.nan", "null", "bucket"),
            words("vocab.unknown", Transform.Vocab.Unknown.class),
            words("one_hot.unknown", Transform.OneHot.Unknown.class),
            words("one_hot.drop", Transform.OneHot.Drop.class),
            words("hash.algorithm", MURMUR),
            words("cross.algorithm", MURMUR),
            words("cyclical.fn", "sin", "cos"),
            Map.entry("cyclical.part", PARTS),
            Map.entry("datetime.part", PARTS),
            words("elapsed.unit", Transform.Elapsed.Unit.class),
            words("cast.to", "float64", "float32", "int64", "int32", "bool"));

    private Grammar() {}

    private static Map.Entry<String, Shape> shape(String name, String required, String optional) {
        return Map.entry(name, new Shape(split(required + " " + optional), split(required)));
    }

    private static List<String> split(String words) {
        return Arrays.stream(words.split(" ")).filter(word -> !word.isEmpty()).toList();
    }

    private static Map.Entry<String, List<String>> words(String key, String... words) {
        return Map.entry(key, List.of(words));
    }

    private static Map.Entry<String, List<String>> words(String key, Class<? extends Enum<?>> type) {
        return Map.entry(
                key,
                Arrays.stream(type.getEnumConstants())
                        .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                        .toList());
    }

    private static List<String> types() {
        return Arrays.stream(ValueType.values()).map(ValueType::word).collect(Collectors.toUnmodifiableList());
    }
}
