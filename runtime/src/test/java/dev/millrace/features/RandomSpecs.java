// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.ValueType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// Specifications at random, as texts, and values for their rows. They are right: the reader takes
/// every one.
final class RandomSpecs {
    static final long NOW = 1_763_900_000_000_000L;
    private static final double[] NUMBERS = {
        0,
        -0.0,
        1,
        -1,
        0.5,
        2.5,
        3,
        7,
        25,
        -8,
        1e-3,
        1e9,
        1e30,
        -1e30,
        1e300,
        -1e300,
        5e-324,
        -5e-324,
        1e-310,
        3.4028235e38,
        3.4028236e38,
        1.4e-45,
        9007199254740993.0,
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY
    };
    private static final long[] WHOLES = {
        0, 1, -1, 2, 3, 5, 7, 25, 100, -8, 1L << 40, 9007199254740993L, Long.MAX_VALUE, Long.MIN_VALUE
    };
    private static final String[] TEXTS = {
        "", "a", "b", "DE", "FR", "IT", "München", "日本", "a b", "it's", "x".repeat(300), "\uD83D\uDE00"
    };
    private static final String[] PARTS = {
        "second",
        "minute",
        "hour",
        "minute_of_day",
        "second_of_day",
        "day_of_week",
        "day_of_month",
        "day_of_year",
        "month",
        "year",
        "epoch_day"
    };
    private static final String[] ZONES = {"UTC", "Europe/Berlin", "America/St_Johns", "+05:30", "Australia/Lord_Howe"};
    private static final String HEAD = """
        apiVersion: v1
        kind: FeaturePipeline
        name: random
        version: 1
        entities:
          - {name: user, join_keys: [uid], type: int64}
          - {name: shop, join_keys: [sid], type: string}
        request:
          - {name: uid, type: int64}
          - {name: sid, type: string}
          - {name: d, type: float64%s}
          - {name: f, type: float32}
          - {name: n, type: int64}
          - {name: i, type: int32}
          - {name: p, type: bool}
          - {name: s, type: string}
          - {name: t, type: timestamp}
        """;
    private static final String[] FIELDS = {"d", "f", "n", "i", "p", "s", "t"};
    private static final String[] TYPES = {"float64", "float32", "int64", "int32", "bool", "string", "timestamp"};

    private static final String[] FIXED_ZONES = {"UTC", "+05:30", "-11:45"};

    private final SplittableRandom random;
    /// Whether there is only what ONNX can compute.
    private final boolean exportable;

    private int names;
    /// Features so far that others may use, and what they are: 'd', 'n'.
    private final List<String> earlier = new ArrayList<>();

    RandomSpecs(SplittableRandom random) {
        this(random, false);
    }

    /// @param exportable whether there is to be only what ONNX can compute
    RandomSpecs(SplittableRandom random, boolean exportable) {
        this.random = random;
        this.exportable = exportable;
    }

    private <T> T one(T[] from) {
        return from[random.nextInt(from.length)];
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    String text() {
        StringBuilder text = new StringBuilder(HEAD.formatted(chance(30) ? ", required: true" : ""));
        text.append("sources:\n");
        for (String view : new String[] {"u", "w"}) {
            text.append("  ").append(view).append(":\n    kind: store\n    entity: ");
            text.append(view.equals("u") ? "user" : "shop").append('\n');
            if (chance(70)) {
                text.append("    ttl: ")
                        .append(one(new String[] {"1h", "500ms", "2d"}))
                        .append('\n');
                text.append("    on_stale: ")
                        .append(one(new String[] {"default", "serve_and_flag", "null", chance(30) ? "reject" : "null"}))
                        .append('\n');
            }
            text.append("    on_missing_entity: ")
                    .append(one(new String[] {"default", "null", chance(30) ? "reject" : "default"}))
                    .append('\n');
            text.append("    on_unavailable: ")
                    .append(one(new String[] {"default", "null", "stale", chance(30) ? "reject" : "default"}))
                    .append('\n');
            text.append("    fields:\n");
            for (int i = 0; i < FIELDS.length; i++) {
                text.append("      - {name: ")
                        .append(FIELDS[i])
                        .append(", type: ")
                        .append(TYPES[i]);
                if (chance(50)) {
                    text.append(", default: ").append(literal(FIELDS[i]));
                }
                text.append("}\n");
            }
        }
        text.append("  r:\n    kind: request\n    fields:\n      - {name: d, type: float64}\n      - {name: "
                + "s, type: string}\n");
        text.append("features:\n");
        for (int i = random.nextInt(1, 9); i > 0; i--) {
            text.append(feature());
        }
        text.append("  - {name: last, input: n}\n");
        return text + "output: {tensor: x, type: float32, layout: row}\n";
    }

    private String literal(String field) {
        return switch (field) {
            case "d", "f" -> Double.toString(finite());
            case "p" -> one(new String[] {"true", "false"});
            case "s" -> quoted(one(TEXTS));
            case "i" -> Integer.toString(random.nextInt(-5, 30));
            default -> Long.toString(WHOLES[random.nextInt(WHOLES.length)]);
        };
    }

    private double finite() {
        double number = NUMBERS[random.nextInt(17)];
        return chance(50) ? number : random.nextDouble(-10, 30);
    }

    /// A finite number of no great size.
    private double small() {
        return chance(50) ? random.nextInt(-5, 10) : random.nextDouble(-10, 30);
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    /// Begins with a transform of several inputs; what it gives.
    private char several(StringBuilder text, List<String> chain) {
        String[][] choices = {
            {"nips", "cross", "n"},
            {"dfnip", "concat", "v"},
            {"dfnip", "subtract", "d"},
            {"dfnip", "divide", "d"},
            {"nip", "equal", "n"},
            {"s", "equal", "n"},
            {"t", "elapsed", "d"},
        };
        String[] choice = one(choices);
        while (exportable && (choice[1].equals("cross") || choice[0].equals("s"))) {
            choice = one(choices);
        }
        text.append("    inputs: [").append(input(choice[0])).append(", ");
        text.append(input(choice[0])).append("]\n");
        chain.add(
                switch (choice[1]) {
                    case "cross" ->
                        "{cross: {buckets: " + random.nextInt(1, 100) + ", algorithm: murmur3_x86_32, seed: "
                                + random.nextInt() + "}}";
                    case "elapsed" ->
                        "{elapsed: {unit: " + one(new String[] {"seconds", "minutes", "hours", "days"}) + "}}";
                    default -> choice[1];
                });
        return choice[2].charAt(0);
    }

    private String feature() {
        String name = "y" + names++;
        StringBuilder text = new StringBuilder("  - name: " + name + "\n");
        char kind;
        List<String> chain = new ArrayList<>();
        if (chance(25)) {
            kind = several(text, chain);
        } else {
            String input = input("dfnipst");
            text.append("    input: ").append(input).append('\n');
            kind = kind(input);
            if (chance(50)) {
                treat(text, kind);
            }
        }
        for (int i = random.nextInt(4); i > 0 && kind != 'v'; i--) {
            kind = transform(kind, chain);
        }
        while (kind == 's' || kind == 't') {
            kind = transform(kind, chain);
        }
        text.append("    transform: [").append(String.join(", ", chain)).append("]\n");
        validate(text);
        if (chance(15)) {
            text.append("    emit: false\n");
        }
        if (kind != 'v') {
            earlier.add(name + "/" + kind);
        }
        return text.toString();
    }

    /// What a word names: d number, n whole number, s text, t time.
    private char kind(String input) {
        if (input.equals("request_time")) {
            return 't';
        }
        for (String each : earlier) {
            if (input.equals("features." + each.substring(0, each.length() - 2))) {
                return each.charAt(each.length() - 1);
            }
        }
        char last = input.charAt(input.length() - 1);
        return last == 'f' ? 'd' : last == 'i' || last == 'p' ? 'n' : last;
    }

    private String input(String fields) {
        String field = String.valueOf(fields.charAt(random.nextInt(fields.length())));
        if (chance(20)) {
            for (String each : earlier) {
                boolean fits = each.endsWith("/n") ? fields.contains("n") : fields.contains("d");
                if (fits && chance(50)) {
                    return "features." + each.substring(0, each.length() - 2);
                }
            }
        }
        if (field.equals("t") && chance(40)) {
            return "request_time";
        }
        if ("ds".contains(field) && chance(15)) {
            return "r." + field;
        }
        return chance(50) ? field : one(new String[] {"u.", "w."}) + field;
    }

    private void treat(StringBuilder text, char kind) {
        text.append("    treat:\n");
        int start = text.length();
        if (kind == 'd' || kind == 'n') {
            if (chance(50)) {
                double low = kind == 'n' ? random.nextInt(-9, 3) : small();
                double high = kind == 'n' ? low + random.nextInt(20) : low + random.nextDouble(30);
                text.append("      outlier: {low: " + low + ", high: " + high + ", treatment: "
                        + one(new String[] {"as_is", "as_missing", "as_extreme"}) + "}\n");
            }
        }
        if (chance(60)) {
            String treatment = one(new String[] {"as_is", "as_value", "as_median", chance(20) ? "reject" : "as_value"});
            text.append("      missing: {treatment: ").append(treatment);
            if (treatment.startsWith("as_") && !treatment.equals("as_is")) {
                text.append(", value: ").append(literal(String.valueOf(kind)));
            }
            text.append(chance(40) ? ", indicator: ind" + names++ : "").append("}\n");
        }
        if (chance(50)) {
            String treatment =
                    one(new String[] {"as_is", "as_value", "as_missing", chance(30) ? "reject" : "as_missing"});
            text.append("      invalid: {treatment: ").append(treatment);
            if (treatment.equals("as_value")) {
                text.append(", value: ").append(literal(String.valueOf(kind)));
            }
            if ((kind == 'd' || kind == 'n') && chance(60)) {
                double min = small();
                text.append(", min: " + min + ", max: " + (min + random.nextDouble(30)));
            }
            if ((kind == 's' || kind == 'n') && chance(60)) {
                text.append(", values: [" + literal(String.valueOf(kind)) + ", " + literal(String.valueOf(kind)) + "]");
            }
            text.append("}\n");
        }
        if (text.length() == start) {
            text.append("      {}\n");
        }
    }

    private char transform(char kind, List<String> chain) {
        return switch (kind) {
            case 's' -> category('s', chain);
            case 't' -> time(chain);
            case 'n' -> chance(50) ? category('n', chain) : number('n', chain);
            default -> number('d', chain);
        };
    }

    private char time(List<String> chain) {
        String zone = ", zone: '" + one(exportable ? FIXED_ZONES : ZONES) + "'";
        if (chance(60)) {
            chain.add("{datetime: {part: " + one(PARTS) + zone + "}}");
            return 'n';
        }
        chain.add("{cyclical: {part: " + one(PARTS) + zone + ", fn: " + one(new String[] {"sin", "cos"}) + ", period: "
                + random.nextInt(1, 50) + "}}");
        return 'd';
    }

    private char number(char kind, List<String> chain) {
        switch (random.nextInt(12)) {
            case 0 ->
                chain.add("{standardize: {mean: " + small() + ", std: " + (chance(20) ? 0 : Math.abs(small())) + "}}");
            case 1 -> {
                double min = small();
                chain.add("{minmax: {min: " + min + ", max: " + (min + (chance(20) ? 0 : random.nextDouble(9)))
                        + ", low: -1, high: 2.5, clip: " + chance(50) + "}}");
            }
            case 2 ->
                chain.add("{robust: {median: " + small() + ", iqr: " + (chance(20) ? 1e-16 : Math.abs(small())) + "}}");
            case 3 -> {
                double low = small();
                chain.add("{clip: {low: " + low + ", high: " + (low + random.nextDouble(9)) + "}}");
            }
            case 4 -> chain.add("log1p");
            case 5 -> chain.add("{sqrt: {}}");
            case 6 ->
                chain.add("{power: {method: " + one(new String[] {"yeo_johnson", "box_cox"}) + ", lambda: "
                        + (chance(40) ? random.nextInt(3) : small()) + "}}");
            case 7 -> {
                chain.add("{impute: {value: " + literal(String.valueOf(kind))
                        + (chance(50) ? ", indicator: ind" + names++ : "") + "}}");
                return kind;
            }
            case 8 -> chain.add("{cyclical: {period: " + random.nextInt(1, 30) + ", fn: sin}}");
            case 9, 10 -> {
                bucketize(chain);
                return 'n';
            }
            default -> {
                String to = one(new String[] {"float64", "float32", "int64", "int32", "bool"});
                chain.add("{cast: {to: " + to + "}}");
                return to.startsWith("float") ? 'd' : 'n';
            }
        }
        return 'd';
    }

    private void bucketize(List<String> chain) {
        List<String> boundaries = new ArrayList<>();
        double next = small();
        for (int i = random.nextInt(2, 7); i > 0; i--) {
            boundaries.add(Double.toString(next));
            next = chance(20) ? Math.nextUp(next) : next + random.nextInt(1, 9) * 0.5;
        }
        chain.add("{bucketize: {boundaries: " + boundaries + ", closed: " + one(new String[] {"left", "right"})
                + ", out_of_range: " + one(new String[] {"bucket", "clamp", "null"}) + ", nan: "
                + one(new String[] {"null", "bucket"}) + "}}");
    }

    private char category(char kind, List<String> chain) {
        List<String> values = new ArrayList<>();
        for (int i = random.nextInt(2, 7); i > 0; i--) {
            String value = literal(String.valueOf(kind));
            if (!values.contains(value)) {
                values.add(value);
            }
        }
        switch (random.nextInt(exportable ? 3 : 4)) {
            case 0 -> {
                String unknown = one(
                        new String[] {"value", "null", exportable ? "value" : "hash", chance(30) ? "reject" : "null"});
                chain.add("{vocab: {values: " + values + ", unknown: " + unknown
                        + (unknown.equals("value") ? ", unknown_value: -1" : "")
                        + (unknown.equals("hash") ? ", oov_buckets: " + random.nextInt(1, 5) : "")
                        + (chance(30) ? ", missing_value: " + random.nextInt(-2, 9) : "") + "}}");
                return 'n';
            }
            case 1 -> {
                values.add(kind == 's' ? "zz" : "77");
                values.add(kind == 's' ? "zy" : "78");
                List<String> some = chance(20) ? values.subList(values.size() - 2, values.size()) : values;
                chain.add("{one_hot: {vocab: " + some + ", unknown: "
                        + one(new String[] {"ignore", "bucket", chance(20) ? "reject" : "ignore"}) + ", drop: "
                        + one(new String[] {"none", "first", "if_binary"}) + "}}");
                return 'v';
            }
            case 2 -> {
                if (kind == 'n') {
                    chain.add("{embed: {table: [[1, 2.5], [-1, 1e-3], [7, 0]]"
                            + (chance(50) ? ", missing_row: " + random.nextInt(3) : "") + "}}");
                    return 'v';
                }
                chain.add("{impute: {value: " + quoted(one(TEXTS)) + "}}");
                return 's';
            }
            default -> {
                chain.add("{hash: {buckets: " + random.nextInt(1, 2000) + ", algorithm: murmur3_x86_32, seed: "
                        + random.nextInt() + "}}");
                return 'n';
            }
        }
    }

    private void validate(StringBuilder text) {
        Double fallback = chance(40) ? (Double) small() : null;
        if (fallback != null) {
            text.append("    default: ").append(fallback).append('\n');
        }
        List<String> all = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            String check = one(new String[] {"finite: true", "not_null: true", "between"});
            List<String> ends = new ArrayList<>(List.of("flag", chance(20) ? "reject" : "flag"));
            if (fallback != null) {
                ends.add("default");
            }
            if (check.equals("between")) {
                double min = fallback == null ? small() : fallback - random.nextDouble(9);
                check = "between: {min: " + min + ", max: "
                        + ((fallback == null ? min : fallback) + random.nextDouble(9)) + "}";
                ends.add("clip");
                ends.add("clip");
            }
            all.add("{" + check + ", on_fail: " + ends.get(random.nextInt(ends.size())) + "}");
        }
        text.append("    validate: ").append(all).append('\n');
    }

    /// A value of a type: null, a Double, a Long or a String.
    Object value(ValueType type) {
        if (chance(12)) {
            return null;
        }
        return switch (type) {
            case FLOAT64 -> chance(60) ? NUMBERS[random.nextInt(NUMBERS.length)] : random.nextDouble(-10, 30);
            case FLOAT32 ->
                (double) (float) (chance(60) ? NUMBERS[random.nextInt(NUMBERS.length)] : random.nextDouble(-10, 30));
            case INT64 -> chance(60) ? WHOLES[random.nextInt(WHOLES.length)] : random.nextLong(-10, 30);
            case INT32 -> (long) (chance(10) ? Integer.MIN_VALUE : random.nextInt(-10, 30));
            case BOOL -> random.nextInt(2) + 0L;
            case STRING -> one(TEXTS);
            case TIMESTAMP ->
                chance(20)
                        ? random.nextLong(-3_000_000_000_000_000L, 7_000_000_000_000_000L)
                        : NOW + random.nextLong(-1_000_000_000_000L, 1_000_000_000_000L);
        };
    }

    Map<String, Object> request(FeaturePlan plan) {
        Map<String, Object> values = new HashMap<>();
        for (int i = 0; i < plan.fieldCount(); i++) {
            values.put(plan.fieldName(i), value(plan.type(i)));
        }
        if (chance(60)) {
            values.put("uid", random.nextLong(4));
            values.put("sid", "k" + random.nextInt(4));
        }
        return values;
    }

    Map<String, Map<Object, StoredRow>> store(FeatureSpec spec) {
        Map<String, Map<Object, StoredRow>> store = new HashMap<>();
        for (FeatureView view : spec.views()) {
            Map<Object, StoredRow> rows = new HashMap<>();
            for (int key = 0; key < 3; key++) {
                Map<String, Object> values = new HashMap<>();
                for (FieldSpec field : view.fields()) {
                    values.put(field.name(), value(field.type()));
                }
                long[] ages = {0, -5, 500_000, 500_001, 3_600_000_000L, 3_600_000_001L, 1_000_000_000_000L};
                boolean unavailable = chance(15);
                rows.put(
                        view.name().equals("u") ? (Object) (long) key : "k" + key,
                        new StoredRow(
                                unavailable && chance(50) ? null : values,
                                NOW - ages[random.nextInt(ages.length)],
                                unavailable));
            }
            store.put(view.name(), rows);
        }
        return store;
    }
}
