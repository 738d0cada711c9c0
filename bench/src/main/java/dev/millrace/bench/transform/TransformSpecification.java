// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.transform;

import dev.millrace.table.Column;
import java.util.List;
import java.util.Locale;

/// The text of a specification of 38 columns from 24 raw values, and of the same with six columns of
/// a view in place of others.
final class TransformSpecification {
    private static final String VIEW = """
        entities: [{name: user, join_keys: [user_id], type: int64}]
        sources:
          txn_stats:
            kind: store
            entity: user
            timestamp_field: seen_at
            created_timestamp_field: written_at
            ttl: 7d
            fields:
              - {name: sum_1d, type: float64, default: 0}
              - {name: sum_7d, type: float64, default: 0}
              - {name: mean_7d, type: float64}
              - {name: count_7d, type: int64, default: 0}
              - {name: last, type: float32}
              - {name: country, type: string}
        """;

    private static final String SCALED = """
          - name: d%1$d_z
            input: d%1$d
            treat: {missing: {treatment: as_value, value: 0.5}}
            transform: [{standardize: {mean: 50.5, std: 28.8}}]
            validate: [{finite: true}]
        """;

    private static final String OTHERS = """
          - {name: l0_hash, input: l0, transform: [{hash: {buckets: 1000, algorithm: murmur3_x86_32}}]}
          - name: i0_bin
            input: i0
            transform: [{bucketize: {boundaries: [10, 25, 50, 75, 90], closed: left}}]
          - {name: i1, input: i1}
          - {name: b0, input: b0}
          - {name: hour_sin, input: request_time, transform: [{cyclical: {part: hour, zone: UTC, fn: sin}}]}
          - {name: hour_cos, input: request_time, transform: [{cyclical: {part: hour, zone: UTC, fn: cos}}]}
          - {name: age, input: t0, transform: [{datetime: {part: epoch_day, zone: UTC}}]}
          - {name: device, input: device, transform: [{vocab: {values: [ios, android], unknown: 'null'}}]}
          - {name: country, input: country, transform: [{one_hot: {vocab: [CH, DE, FR, IT, AT, GB, US],
              unknown: bucket}}]}
          - name: country_device
            inputs: [country, device]
            transform: [{cross: {buckets: 64, algorithm: murmur3_x86_32}}]
        """;

    private static final String STORED = """
          - {name: sum_1d, input: txn_stats.sum_1d, transform: [log1p]}
          - {name: sum_7d, input: txn_stats.sum_7d, transform: [log1p]}
          - {name: mean_7d, input: txn_stats.mean_7d, default: -1}
          - {name: count_7d, input: txn_stats.count_7d, transform: [{standardize: {mean: 20, std: 9}}]}
          - {name: last, input: txn_stats.last, transform: [{standardize: {mean: 50, std: 29}}]}
          - name: home
            input: txn_stats.country
            default: -1
            transform: [{vocab: {values: [CH, DE, FR, IT, AT, GB, US, JP], unknown: 'null'}}]
        """;

    private static final String DERIVED = """
          - {name: d0_sqrt, input: d0, transform: [sqrt]}
          - {name: d1_sqrt, input: d1, transform: [sqrt]}
          - {name: d2_clip, input: d2, transform: [{clip: {low: 1, high: 99}}]}
          - {name: d3_clip, input: d3, transform: [{clip: {low: 1, high: 99}}]}
          - {name: d4_robust, input: d4, transform: [{robust: {median: 50, iqr: 50}}]}
          - {name: d5_robust, input: d5, transform: [{robust: {median: 50, iqr: 50}}]}
        """;

    private TransformSpecification() {}

    static String of(List<Column> request, boolean hasView) {
        StringBuilder text = new StringBuilder("apiVersion: v1\nkind: FeaturePipeline\nname: forty\nversion: 1\n");
        text.append(hasView ? VIEW : "").append("request:\n");
        for (Column column : request) {
            if (!column.name().equals("request_time")) {
                String type = column.type().name().toLowerCase(Locale.ROOT);
                text.append("  - {name: %s, type: %s}\n".formatted(column.name(), type));
            }
        }
        text.append("features:\n");
        for (int i = 0; i < 6; i++) {
            text.append(SCALED.formatted(i));
        }
        for (int i = 6; i < 10; i++) {
            text.append(
                    "  - {name: d%1$d_log, input: d%1$d, transform: [log1p, {standardize: {mean: 3.6, std: 0.9}}]}\n"
                            .formatted(i));
        }
        for (int i = 0; i < 3; i++) {
            text.append("  - {name: f%1$d_mm, input: f%1$d, transform: [{minmax: {min: 0, max: 100, clip: true}}]}\n"
                    .formatted(i));
        }
        text.append(OTHERS).append(hasView ? STORED : DERIVED);
        text.append("  - {name: f3, input: f3, transform: [{impute: {value: 7}}]}\n");
        text.append("  - {name: l1, input: l1, transform: [{standardize: {mean: 500000, std: 280000}}]}\n");
        text.append("output: {tensor: in, type: float32, layout: row}\n");
        return text.toString();
    }
}
