// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.DatePart;
import dev.millrace.spec.Feature;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.Input;
import dev.millrace.spec.Literal;
import dev.millrace.spec.Transform;
import dev.millrace.spec.Treatment;
import dev.millrace.spec.Validation;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// What `docs/features.md` says, done slowly with objects: a value is null, a Double, a Long (whole
/// numbers and times) or a String. It shares nothing with the plan.
final class Plain {
    /// A value with what is known of where it came from.
    private record Known(Object value, Set<FeatureStatus> marks, long age) {}

    /// What a row has become.
    record Result(List<Float> columns, List<FeatureStatus> statuses, List<Long> ages, boolean degraded) {}

    private final FeatureSpec spec;
    private final Map<String, Known> known = new HashMap<>();
    private final List<Float> written = new ArrayList<>();
    private final List<FeatureStatus> statuses = new ArrayList<>();
    private final List<Long> ages = new ArrayList<>();
    private boolean degraded;

    /// The feature at hand: what is true of it, and its indicators.
    private final Set<FeatureStatus> marks = EnumSet.noneOf(FeatureStatus.class);

    private final List<Double> indicators = new ArrayList<>();

    private Plain(FeatureSpec spec) {
        this.spec = spec;
    }

    /// @param request values by field, `name` or `view.name`
    /// @param store rows by view and key
    static Result of(
            FeatureSpec spec, Map<String, Object> request, Map<String, Map<Object, StoredRow>> store, long now) {
        Plain plain = new Plain(spec);
        plain.takeRequest(request, now);
        plain.takeStored(request, store, now);
        spec.features().forEach(plain::feature);
        return new Result(plain.written, plain.statuses, plain.ages, plain.degraded);
    }

    private void takeRequest(Map<String, Object> request, long now) {
        known.put("request_time", new Known(now, Set.of(), -1));
        for (FieldSpec field : spec.request()) {
            if (field.required() && request.get(field.name()) == null) {
                throw new Rejected(field.name());
            }
            known.put(field.name(), present(request.get(field.name()), -1));
        }
        for (FeatureView view : spec.views()) {
            if (view.kind() == FeatureView.Kind.REQUEST) {
                view.fields().forEach(field -> {
                    String name = view.name() + "." + field.name();
                    known.put(name, present(request.get(name), -1));
                });
            }
        }
    }

    private static Known present(Object value, long age) {
        return new Known(value, value == null ? Set.of(FeatureStatus.NULL_VALUE) : Set.of(), age);
    }

    private boolean isUsed(FeatureView view) {
        return spec.features().stream()
                .flatMap(feature -> feature.inputs().stream())
                .anyMatch(input -> view.name().equals(input.view()));
    }

    private void takeStored(Map<String, Object> request, Map<String, Map<Object, StoredRow>> store, long now) {
        for (FeatureView view : spec.views()) {
            if (view.kind() == FeatureView.Kind.REQUEST || !isUsed(view)) {
                continue;
            }
            Object key = request.get(view.entity().joinKey());
            StoredRow row = key == null ? null : store.get(view.name()).get(key);
            boolean away = row != null && row.values() == null;
            long age = row == null || away ? -1 : Math.max(0, now - row.eventTime());
            boolean stale =
                    row != null && view.ttl() != null && age > view.ttl().toNanos() / 1000;
            boolean reject = row == null
                    ? view.policies().onMissing() == FeatureView.OnMissing.REJECT
                    : away
                            ? view.policies().onUnavailable() == FeatureView.OnUnavailable.REJECT
                            : stale && view.policies().onStale() == FeatureView.OnStale.REJECT;
            if (reject) {
                throw new Rejected(view.name());
            }
            for (FieldSpec field : view.fields()) {
                known.put(view.name() + "." + field.name(), stored(view, field, row, stale, age));
            }
        }
    }

    private static Known stored(FeatureView view, FieldSpec field, StoredRow row, boolean stale, long age) {
        if (row == null) {
            boolean byDefault = view.policies().onMissing() == FeatureView.OnMissing.DEFAULT;
            return new Known(byDefault ? value(field.fallback()) : null, Set.of(FeatureStatus.NOT_FOUND), age);
        }
        if (row.values() == null) {
            boolean byDefault = view.policies().onUnavailable() != FeatureView.OnUnavailable.NULL;
            return new Known(byDefault ? value(field.fallback()) : null, Set.of(FeatureStatus.UNAVAILABLE), age);
        }
        Object value = row.values().get(field.name());
        if (!stale) {
            return row.unavailable() ? new Known(value, Set.of(FeatureStatus.UNAVAILABLE), age) : present(value, age);
        }
        Object served = switch (view.policies().onStale()) {
            case SERVE_AND_FLAG -> value;
            case DEFAULT -> value(field.fallback());
            default -> null;
        };
        FeatureStatus status = row.unavailable() ? FeatureStatus.UNAVAILABLE : FeatureStatus.OUTSIDE_MAX_AGE;
        return new Known(served, Set.of(status), age);
    }

    private static Object value(Literal literal) {
        return switch (literal) {
            case null -> null;
            case Literal.Real(double value) -> value;
            case Literal.Whole(long value) -> value;
            case Literal.Text(String value) -> value;
        };
    }

    private void feature(Feature feature) {
        marks.clear();
        indicators.clear();
        long age = -1;
        List<Object> inputs = new ArrayList<>();
        for (Input input : feature.inputs()) {
            Known from = known.get(input.word());
            inputs.add(from.value());
            marks.addAll(from.marks());
            age = Math.max(age, from.age());
        }
        Object value = treat(feature, inputs.getFirst());
        List<Double> columns = null;
        for (Transform transform : feature.transforms()) {
            switch (transform) {
                case Transform.OneHot oneHot -> columns = oneHot(feature, oneHot, value);
                case Transform.Embed embed -> columns = embed(embed, (Long) value);
                case Transform.Concat _ ->
                    columns = inputs.stream().map(Plain::number).toList();
                case Transform.Cross cross -> value = noted(cross(cross, inputs));
                case Transform.Subtract _, Transform.Divide _, Transform.Equal _, Transform.Elapsed _ ->
                    value = noted(pair(transform, inputs.getFirst(), inputs.getLast()));
                default -> value = noted(transform(feature, transform, value));
            }
        }
        known.put("features." + feature.name(), new Known(value, EnumSet.copyOf(with(marks)), age));
        if (columns == null) {
            columns = new ArrayList<>();
            columns.add(number(value));
        }
        columns = validated(feature, new ArrayList<>(columns));
        columns.addAll(indicators);
        if (feature.columns().emit()) {
            columns.forEach(column -> written.add(column.floatValue()));
        }
        marks.remove(FeatureStatus.PRESENT);
        statuses.add(marks.stream().max(FeatureStatus::compareTo).orElse(FeatureStatus.PRESENT));
        ages.add(age);
        Set<FeatureStatus> bad = EnumSet.of(
                FeatureStatus.DEFAULTED,
                FeatureStatus.OUTSIDE_MAX_AGE,
                FeatureStatus.NOT_FOUND,
                FeatureStatus.UNAVAILABLE,
                FeatureStatus.INVALID);
        degraded |= marks.stream().anyMatch(bad::contains);
    }

    private static Set<FeatureStatus> with(Set<FeatureStatus> marks) {
        Set<FeatureStatus> all = EnumSet.of(FeatureStatus.PRESENT);
        all.addAll(marks);
        return all;
    }

    /// Null that a transform made, or left.
    private Object noted(Object value) {
        if (value == null) {
            marks.add(FeatureStatus.NULL_VALUE);
        }
        return value;
    }

    private static boolean isMissing(Object value) {
        return value == null || value.equals(Double.NaN);
    }

    /// A value as a double; null stays null.
    private static Double number(Object value) {
        return switch (value) {
            case null -> null;
            case Long whole -> new BigDecimal(whole).doubleValue();
            default -> (Double) value;
        };
    }

    private Object treat(Feature feature, Object raw) {
        Treatment treatment = feature.treatment();
        Object value = raw;
        Treatment.Outlier outlier = treatment.outlier();
        if (outlier != null && value != null && outlier.treatment() != Treatment.Outlier.As.AS_IS) {
            double x = number(value);
            if (x < outlier.low() || x > outlier.high()) {
                if (outlier.treatment() == Treatment.Outlier.As.AS_MISSING) {
                    marks.add(FeatureStatus.NULL_VALUE);
                    value = null;
                } else {
                    marks.add(FeatureStatus.CLIPPED);
                    double bound = x < outlier.low() ? outlier.low() : outlier.high();
                    value = value instanceof Long ? (Object) (long) bound : (Object) bound;
                }
            }
        }
        Treatment.Missing missing = treatment.missing();
        if (missing != null) {
            indicators.add(isMissing(value) ? 1.0 : 0.0);
            value = missing(feature, missing, value);
            if (missing.indicator() == null) {
                indicators.removeLast();
            }
        }
        return treatment.invalid() == null ? value : invalid(feature, treatment.invalid(), missing, value);
    }

    private Object missing(Feature feature, Treatment.Missing missing, Object value) {
        if (!isMissing(value)) {
            return value;
        }
        marks.add(FeatureStatus.NULL_VALUE);
        if (missing.reject()) {
            throw new Rejected(feature.name());
        }
        return missing.value() == null ? value : value(missing.value());
    }

    private Object invalid(Feature feature, Treatment.Invalid invalid, Treatment.Missing missing, Object value) {
        boolean wrong = false;
        if (!isMissing(value)) {
            if (!(value instanceof String)) {
                double x = number(value);
                wrong = Double.isInfinite(x) || x < invalid.min() || x > invalid.max();
            }
            if (invalid.values() != null) {
                wrong |= invalid.values().stream().map(Plain::value).noneMatch(value::equals);
            }
        }
        if (!wrong) {
            return value;
        }
        switch (invalid.treatment()) {
            case REJECT -> throw new Rejected(feature.name());
            case AS_IS -> {
                marks.add(FeatureStatus.INVALID);
                return value;
            }
            case AS_VALUE -> {
                marks.add(FeatureStatus.DEFAULTED);
                return value(invalid.value());
            }
            default -> {
                marks.add(FeatureStatus.NULL_VALUE);
                if (missing != null && missing.indicator() != null) {
                    indicators.set(0, 1.0);
                }
                return missing == null ? null : missing(feature, missing, null);
            }
        }
    }

    private Object transform(Feature feature, Transform transform, Object value) {
        switch (transform) {
            case Transform.Impute impute -> {
                if (impute.indicator() != null) {
                    indicators.add(isMissing(value) ? 1.0 : 0.0);
                }
                if (isMissing(value)) {
                    marks.add(FeatureStatus.NULL_VALUE);
                    return value(impute.value());
                }
                return value;
            }
            case Transform.Bucketize bucketize -> {
                return bucketize(bucketize, number(value));
            }
            case Transform.Vocab vocab -> {
                return vocab(feature, vocab, value);
            }
            default -> {
                return value == null ? null : ofValue(transform, value);
            }
        }
    }

    private static Object ofValue(Transform transform, Object value) {
        return switch (transform) {
            case Transform.Hash hash -> modulo(hash(value, hash.seed()), hash.buckets());
            case Transform.DateTime part -> part(part.part(), part.zone(), (Long) value);
            case Transform.Cyclical cyclical -> {
                double x = cyclical.part() == null
                        ? number(value)
                        : number(part(cyclical.part(), cyclical.zone(), (Long) value));
                double turns = x / cyclical.period();
                double angle = ((Math.abs(turns) >= 131_072 ? turns - Math.rint(turns) : turns) * 2) * Math.PI;
                yield cyclical.sine() ? StrictMath.sin(angle) : StrictMath.cos(angle);
            }
            case Transform.Cast cast -> cast(cast, value);
            default -> ofNumber(transform, number(value));
        };
    }

    private static double spread(double spread) {
        return spread < 10 * Math.ulp(1.0) ? 1 : spread;
    }

    private static Double ofNumber(Transform transform, double x) {
        return switch (transform) {
            case Transform.Standardize(double mean, double std) -> (x - mean) / (std == 0 ? 1 : std);
            case Transform.Robust(double median, double iqr) -> (x - median) / spread(iqr);
            case Transform.MinMax m -> {
                double scale = (m.high() - m.low()) / spread(m.max() - m.min());
                double scaled = x * scale + (m.low() - m.min() * scale);
                yield m.clip() ? clip(scaled, m.low(), m.high()) : scaled;
            }
            case Transform.Clip(double low, double high) -> clip(x, low, high);
            case Transform.Log1p _ -> StrictMath.log1p(x);
            case Transform.Sqrt _ -> StrictMath.sqrt(x);
            case Transform.Power(Transform.Power.Method method, double lambda) ->
                method == Transform.Power.Method.BOX_COX ? boxCox(x, lambda) : yeoJohnson(x, lambda);
            default -> throw new IllegalStateException(transform.toString());
        };
    }

    private static double clip(double x, double low, double high) {
        if (x < low) {
            return low;
        }
        return x > high ? high : x;
    }

    private static double yeoJohnson(double x, double lambda) {
        if (Double.isNaN(x)) {
            return x;
        }
        if (x >= 0) {
            return lambda == 0 ? StrictMath.log1p(x) : (StrictMath.pow(x + 1, lambda) - 1) / lambda;
        }
        double two = 2 - lambda;
        return lambda == 2 ? -StrictMath.log1p(-x) : -((StrictMath.pow(1 - x, two) - 1) / two);
    }

    private static double boxCox(double x, double lambda) {
        if (Double.isNaN(x) || x <= 0) {
            return Double.NaN;
        }
        return lambda == 0 ? StrictMath.log(x) : (StrictMath.pow(x, lambda) - 1) / lambda;
    }

    private static Object cast(Transform.Cast cast, Object value) {
        boolean nan = value.equals(Double.NaN);
        return switch (cast.to()) {
            case FLOAT64 -> number(value);
            case FLOAT32 -> (double) number(value).floatValue();
            case BOOL -> nan ? null : (Object) (number(value) != 0 ? 1L : 0L);
            case INT32 -> nan ? null : (Object) whole(value, Integer.MIN_VALUE, Integer.MAX_VALUE);
            default -> nan ? null : (Object) whole(value, Long.MIN_VALUE, Long.MAX_VALUE);
        };
    }

    private static Long whole(Object value, long least, long most) {
        if (value instanceof Double x && x.isInfinite()) {
            return x > 0 ? most : least;
        }
        BigInteger whole =
                value instanceof Double x ? new BigDecimal(x).toBigInteger() : BigInteger.valueOf((Long) value);
        return whole.max(BigInteger.valueOf(least))
                .min(BigInteger.valueOf(most))
                .longValueExact();
    }

    private static Long bucketize(Transform.Bucketize b, Double x) {
        int count = b.boundaries().size() + (b.outOfRange() == Transform.Bucketize.OutOfRange.BUCKET ? 1 : -1);
        if (isMissing(x)) {
            return b.missingBucket() ? (Long) (long) count : null;
        }
        long below = b.boundaries().stream()
                .filter(boundary -> b.closedLeft() ? boundary.doubleValue() <= x : boundary.doubleValue() < x)
                .count();
        if (b.outOfRange() == Transform.Bucketize.OutOfRange.BUCKET) {
            return below;
        }
        boolean outside = x < b.boundaries().getFirst() || x > b.boundaries().getLast();
        return b.outOfRange() == Transform.Bucketize.OutOfRange.NULL && outside
                ? null
                : (Long) Math.max(0L, Math.min(b.boundaries().size() - 2L, below - 1));
    }

    private static int place(dev.millrace.spec.Vocabulary vocabulary, Object value) {
        return vocabulary.texts() != null
                ? vocabulary.texts().indexOf((String) value)
                : vocabulary.integers().indexOf((Long) value);
    }

    private static Object vocab(Feature feature, Transform.Vocab vocab, Object value) {
        if (value == null) {
            return vocab.missingValue();
        }
        int place = place(vocab.vocabulary(), value);
        if (place >= 0) {
            return (long) place;
        }
        return switch (vocab.unknown()) {
            case VALUE -> (Object) vocab.unknownValue();
            case NULL -> null;
            case REJECT -> throw new Rejected(feature.name());
            case HASH -> (Object) (vocab.vocabulary().size() + modulo(hash(value, 0), vocab.oovBuckets()));
        };
    }

    private static List<Double> oneHot(Feature feature, Transform.OneHot oneHot, Object value) {
        List<Double> columns = new ArrayList<>();
        int place = value == null ? -1 : place(oneHot.vocabulary(), value);
        if (place < 0 && oneHot.unknown() == Transform.OneHot.Unknown.REJECT) {
            throw new Rejected(feature.name());
        }
        for (int i = 0; i < oneHot.vocabulary().size(); i++) {
            columns.add(i == place ? 1.0 : 0.0);
        }
        int size = columns.size();
        boolean drop = oneHot.drop() == Transform.OneHot.Drop.FIRST
                || (oneHot.drop() == Transform.OneHot.Drop.IF_BINARY && size == 2);
        if (drop) {
            columns.removeFirst();
        }
        if (oneHot.unknown() == Transform.OneHot.Unknown.BUCKET) {
            columns.add(place < 0 ? 1.0 : 0.0);
        }
        return columns;
    }

    private static List<Double> embed(Transform.Embed embed, Long value) {
        long row = value == null || value < 0 || value >= embed.table().rows() ? embed.missingRow() : value;
        List<Double> columns = new ArrayList<>();
        for (int column = 0; column < embed.table().width(); column++) {
            columns.add(row < 0 ? 0.0 : embed.table().value((int) row, column));
        }
        return columns;
    }

    private static Object cross(Transform.Cross cross, List<Object> inputs) {
        int hash = cross.seed();
        for (Object input : inputs) {
            if (input == null) {
                return null;
            }
            hash = hash(input, hash);
        }
        return modulo(hash, cross.buckets());
    }

    private static Object pair(Transform transform, Object x, Object y) {
        if (x == null || y == null) {
            return null;
        }
        return switch (transform) {
            case Transform.Subtract _ -> number(x) - number(y);
            case Transform.Divide _ -> number(x) / number(y);
            case Transform.Equal _ -> x.equals(y) ? 1L : 0L;
            case Transform.Elapsed(Transform.Elapsed.Unit unit) ->
                BigInteger.valueOf((Long) x)
                                        .subtract(BigInteger.valueOf((Long) y))
                                        .bitLength()
                                < Long.SIZE
                        ? (double) ((Long) x - (Long) y) / unit.micros()
                        : ((double) (Long) x - (double) (Long) y) / unit.micros();
            default -> throw new IllegalStateException(transform.toString());
        };
    }

    private static Long modulo(int hash, int buckets) {
        return BigInteger.valueOf(hash).mod(BigInteger.valueOf(buckets)).longValueExact();
    }

    /// murmur3_x86_32 as its description has it, over a list of bytes.
    private static int hash(Object value, int seed) {
        byte[] bytes = value instanceof String text ? text.getBytes(StandardCharsets.UTF_8) : new byte[8];
        if (value instanceof Long whole) {
            for (int i = 0; i < 8; i++) {
                bytes[i] = (byte) (whole >> (8 * i));
            }
        }
        int h = seed;
        for (int i = 0; i < bytes.length; i += 4) {
            int k = 0;
            for (int j = Math.min(3, bytes.length - 1 - i); j >= 0; j--) {
                k = k << 8 | (bytes[i + j] & 0xff);
            }
            k *= 0xcc9e2d51;
            k = k << 15 | k >>> 17;
            k *= 0x1b873593;
            h ^= k;
            if (i + 4 <= bytes.length) {
                h = h << 13 | h >>> 19;
                h = h * 5 + 0xe6546b64;
            }
        }
        h ^= bytes.length;
        h ^= h >>> 16;
        h *= 0x85ebca6b;
        h ^= h >>> 13;
        h *= 0xc2b2ae35;
        return h ^ h >>> 16;
    }

    private static Long part(DatePart part, java.time.ZoneId zone, long micros) {
        Instant instant =
                Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1000);
        Instant last = Instant.parse("2199-12-31T23:59:59Z");
        ZonedDateTime time = instant.atZone(zone.getRules().getOffset(instant.isBefore(last) ? instant : last));
        return switch (part) {
            case SECOND -> (long) time.getSecond();
            case MINUTE -> (long) time.getMinute();
            case HOUR -> (long) time.getHour();
            case MINUTE_OF_DAY -> (long) time.toLocalTime().toSecondOfDay() / 60;
            case SECOND_OF_DAY -> (long) time.toLocalTime().toSecondOfDay();
            case DAY_OF_WEEK -> (long) time.getDayOfWeek().getValue() - 1;
            case DAY_OF_MONTH -> (long) time.getDayOfMonth();
            case DAY_OF_YEAR -> (long) time.getDayOfYear();
            case MONTH -> (long) time.getMonthValue();
            case YEAR -> (long) time.getYear();
            case EPOCH_DAY -> time.toLocalDate().toEpochDay();
        };
    }

    private List<Double> validated(Feature feature, List<Double> values) {
        List<Double> columns = new ArrayList<>();
        Double fallback = feature.checks().fallback();
        boolean anyNull = false;
        for (Double value : values) {
            if (value == null && fallback != null) {
                marks.add(FeatureStatus.DEFAULTED);
            }
            anyNull |= value == null && fallback == null;
            columns.add(value != null ? value : Objects.requireNonNullElse(fallback, Double.NaN));
        }
        for (Validation validation : feature.checks().validations()) {
            boolean holds = switch (validation.check()) {
                case NOT_NULL -> !anyNull;
                case FINITE -> columns.stream().allMatch(x -> Float.isFinite(x.floatValue()));
                case BETWEEN ->
                    columns.stream()
                            .noneMatch(x -> x.doubleValue() < validation.min() || x.doubleValue() > validation.max());
            };
            if (holds) {
                continue;
            }
            switch (validation.onFail()) {
                case REJECT -> throw new Rejected(feature.name());
                case DEFAULT -> {
                    columns.replaceAll(_ -> fallback);
                    marks.add(FeatureStatus.DEFAULTED);
                    return columns;
                }
                case CLIP -> {
                    columns.replaceAll(x -> clip(x, validation.min(), validation.max()));
                    marks.add(FeatureStatus.CLIPPED);
                }
                case FLAG -> marks.add(FeatureStatus.INVALID);
            }
        }
        return columns;
    }
}
