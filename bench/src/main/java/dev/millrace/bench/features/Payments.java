// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.features;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/// What is computed: 41 columns of a payment, from seven values of the request and ten stored ones of
/// its user and its merchant. Rows are at random from a fixed seed; some values are null, NaN or of
/// no known category.
///
/// Threads: immutable, any.
final class Payments {
    /// The time of all requests, and of all that is stored, in microseconds since 1970.
    static final long NOW = 1_763_900_000_000_000L;

    static final ViewSchema USERS = new ViewSchema(
            "users",
            Field.of("id", FieldType.INT64),
            List.of(
                    Field.of("sum_7d", FieldType.FLOAT64),
                    Field.of("mean_30d", FieldType.FLOAT64),
                    Field.of("count_24h", FieldType.INT32),
                    Field.string("country", 2),
                    Field.of("age_days", FieldType.FLOAT32),
                    Field.of("verified", FieldType.BOOL)));

    static final ViewSchema MERCHANTS = new ViewSchema(
            "merchants",
            Field.of("id", FieldType.INT64),
            List.of(
                    Field.string("kind", 12),
                    Field.of("fraud_rate", FieldType.FLOAT64),
                    Field.of("count_7d", FieldType.INT64),
                    Field.of("mean", FieldType.FLOAT64)));

    private static final String TEXT = """
        apiVersion: v1
        kind: FeaturePipeline
        name: payments
        version: 1
        entities:
          - {name: user, join_keys: [user_id], type: int64}
          - {name: merchant, join_keys: [merchant_id], type: int64}
        sources:
          users:
            kind: store
            entity: user
            ttl: 2h
            fields:
              - {name: sum_7d, type: float64, default: 0}
              - {name: mean_30d, type: float64, default: 0}
              - {name: count_24h, type: int32, default: 0}
              - {name: country, type: string}
              - {name: age_days, type: float32}
              - {name: verified, type: bool, default: false}
          merchants:
            kind: store
            entity: merchant
            ttl: 7d
            fields:
              - {name: kind, type: string}
              - {name: fraud_rate, type: float64}
              - {name: count_7d, type: int64, default: 0}
              - {name: mean, type: float64}
        request:
          - {name: user_id, type: int64, required: true}
          - {name: merchant_id, type: int64, required: true}
          - {name: amount, type: float64, required: true}
          - {name: balance, type: float64}
          - {name: items, type: int32}
          - {name: ip_risk, type: float32}
          - {name: device, type: string}
          - {name: channel, type: string}
        features:
          - {name: amount_log, input: amount, transform: [log1p, {standardize: {mean: 4.1, std: 1.7}}]}
          - {name: amount_scaled, input: amount, transform: [{minmax: {min: 0, max: 50000, clip: true}}]}
          - {name: amount_bucket, input: amount,
             transform: [{bucketize: {boundaries: [5, 20, 50, 100, 500, 2000], closed: left}}]}
          - name: balance_z
            input: balance
            treat:
              outlier: {low: -100000, high: 1000000, treatment: as_extreme}
              missing: {treatment: as_value, value: 1000, indicator: balance_isnull}
            transform: [{standardize: {mean: 1200, std: 5300}}]
            validate: [{between: {min: -8, max: 8}, on_fail: clip}]
          - {name: balance_bucket, input: balance,
             transform: [{bucketize: {boundaries: [0, 100, 1000, 10000], closed: right, nan: bucket}}]}
          - {name: items, input: items, default: 0, transform: [{robust: {median: 2, iqr: 3}}]}
          - {name: ip_risk, input: ip_risk, treat: {missing: {treatment: as_median, value: 0.2}},
             transform: [{standardize: {mean: 0.25, std: 0.2}}], validate: [{finite: true, on_fail: flag}]}
          - {name: hour_sin, input: request_time, transform: [{cyclical: {part: hour, zone: UTC, fn: sin}}]}
          - {name: hour_cos, input: request_time, transform: [{cyclical: {part: hour, zone: UTC, fn: cos}}]}
          - {name: weekday, input: request_time, transform: [{datetime: {part: day_of_week, zone: UTC}}]}
          - {name: device, input: device, transform: [{vocab: {values: [ios, android, windows, mac, linux, tv],
             unknown: value, unknown_value: 6, missing_value: 7}}]}
          - {name: channel, input: channel, transform: [{one_hot: {vocab: [web, app, pos, phone], unknown: bucket}}]}
          - {name: country, input: users.country,
             transform: [{one_hot: {vocab: [CH, DE, FR, IT, AT, GB, US, JP], unknown: ignore}}]}
          - {name: sum_7d, input: users.sum_7d, default: 0, transform: [log1p, {standardize: {mean: 5.2, std: 2.1}}]}
          - {name: mean_30d, input: users.mean_30d, default: 0, transform: [{standardize: {mean: 80, std: 210}}]}
          - {name: count_24h, input: users.count_24h, default: 0,
             transform: [{clip: {low: 0, high: 100}}, {minmax: {min: 0, max: 100}}]}
          - {name: verified, input: users.verified, default: 0}
          - {name: age, input: users.age_days, default: 0, transform: [sqrt]}
          - {name: kind, input: merchants.kind,
             transform: [{one_hot: {vocab: [food, travel, games, fuel, health, books], unknown: bucket}}]}
          - {name: fraud_rate, input: merchants.fraud_rate, default: 0,
             transform: [{standardize: {mean: 0.01, std: 0.02}}]}
          - {name: count_7d, input: merchants.count_7d, default: 0, transform: [log1p]}
          - {name: mean, input: merchants.mean, default: 0, transform: [{robust: {median: 40, iqr: 75}}]}
          - {name: mean_bucket, input: merchants.mean, default: -1,
             transform: [{bucketize: {boundaries: [5, 20, 50, 100, 500], closed: left}}]}
        output: {tensor: features, type: float32, layout: row}
        """;

    private static final String[] DEVICES = {"ios", "android", "windows", "mac", "linux", "tv", "fridge"};
    private static final String[] CHANNELS = {"web", "app", "pos", "phone", "letter"};
    private static final String[] COUNTRIES = {"CH", "DE", "FR", "IT", "AT", "GB", "US", "JP", "NZ", "BR"};
    private static final String[] KINDS = {"food", "travel", "games", "fuel", "health", "books", "art"};

    private final int rows;
    private final long[] users;
    private final long[] merchants;
    private final double[] amounts;
    private final double[] balances;
    private final boolean[] balanceIsNull;
    private final int[] items;
    private final float[] risks;
    private final byte[][] devices;
    private final byte[][] channels;
    private final long[] times;

    /// The handles of a plan's fields.
    ///
    /// @param plan of this specification
    record Fields(
            FeaturePlan plan,
            int user,
            int merchant,
            int amount,
            int balance,
            int item,
            int risk,
            int device,
            int channel) {
        static Fields of(FeaturePlan plan) {
            return new Fields(
                    plan,
                    plan.field("user_id"),
                    plan.field("merchant_id"),
                    plan.field("amount"),
                    plan.field("balance"),
                    plan.field("items"),
                    plan.field("ip_risk"),
                    plan.field("device"),
                    plan.field("channel"));
        }
    }

    /// @param entities how many users there are, and merchants
    Payments(int rows, long entities) {
        this.rows = rows;
        users = new long[rows];
        merchants = new long[rows];
        amounts = new double[rows];
        balances = new double[rows];
        balanceIsNull = new boolean[rows];
        items = new int[rows];
        risks = new float[rows];
        devices = new byte[rows][];
        channels = new byte[rows][];
        times = new long[rows];
        SplittableRandom random = new SplittableRandom(20261123);
        for (int i = 0; i < rows; i++) {
            users[i] = key(random.nextLong(entities));
            merchants[i] = key(random.nextLong(entities));
            amounts[i] = Math.exp(random.nextDouble(-3, 11));
            balances[i] = random.nextInt(20) == 0 ? Double.NaN : random.nextDouble(-2e5, 2e5);
            balanceIsNull[i] = random.nextInt(20) == 0;
            items[i] = random.nextInt(12);
            risks[i] = random.nextInt(20) == 0 ? Float.NaN : (float) random.nextDouble();
            devices[i] = one(DEVICES, random).getBytes(StandardCharsets.UTF_8);
            channels[i] = one(CHANNELS, random).getBytes(StandardCharsets.UTF_8);
            times[i] = NOW + random.nextLong(3_600_000_000L);
        }
    }

    private static String one(String[] of, SplittableRandom random) {
        return of[random.nextInt(of.length)];
    }

    static FeatureSpec spec() {
        return FeatureSpec.parse(TEXT, Path.of(""));
    }

    int rows() {
        return rows;
    }

    long user(int row) {
        return users[row];
    }

    long merchant(int row) {
        return merchants[row];
    }

    /// The key of an entity: they do not follow one another.
    static long key(long entity) {
        return entity * 0x9E3779B97F4A7C15L;
    }

    static void addUser(WriteBatch batch, View view, long key) {
        SplittableRandom random = new SplittableRandom(key);
        batch.row(view, key, NOW, NOW)
                .putDouble(0, random.nextDouble(20_000))
                .putDouble(1, random.nextDouble(900))
                .putInt(2, random.nextInt(130))
                .putString(3, one(COUNTRIES, random))
                .putBoolean(5, random.nextBoolean());
        if (random.nextInt(20) > 0) {
            batch.putFloat(4, (float) random.nextDouble(4000));
        }
    }

    static void addMerchant(WriteBatch batch, View view, long key) {
        SplittableRandom random = new SplittableRandom(~key);
        batch.row(view, key, NOW, NOW).putString(0, one(KINDS, random)).putLong(2, random.nextLong(1_000_000));
        if (random.nextInt(20) > 0) {
            batch.putDouble(1, random.nextDouble(0.2)).putDouble(3, random.nextDouble(900));
        }
    }

    /// Gives a row of a plan the raw values of a request.
    void fill(int from, Fields fields, FeatureRow row, long user, long merchant) {
        row.begin(times[from])
                .set(fields.user(), user)
                .set(fields.merchant(), merchant)
                .set(fields.amount(), amounts[from])
                .set(fields.item(), (long) items[from])
                .set(fields.risk(), (double) risks[from])
                .set(fields.device(), devices[from], 0, devices[from].length)
                .set(fields.channel(), channels[from], 0, channels[from].length);
        if (!balanceIsNull[from]) {
            row.set(fields.balance(), balances[from]);
        }
    }

    /// A raw value of a request by its name: a number, bytes, or null.
    Object raw(int row, String name) {
        return switch (name) {
            case "amount" -> amounts[row];
            case "balance" -> balanceIsNull[row] ? null : (Object) balances[row];
            case "items" -> (long) items[row];
            case "ip_risk" -> (double) risks[row];
            case "device" -> devices[row];
            case "channel" -> channels[row];
            case "request_time" -> times[row];
            case "user_id" -> users[row];
            case "merchant_id" -> merchants[row];
            default -> throw new IllegalArgumentException(name);
        };
    }
}
