// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

/// Specifications that tests share.
final class SpecTexts {
    /// Every mapping that there is, and most keys.
    static final String WHOLE = """
        apiVersion: v1
        kind: FeaturePipeline
        name: fraud_scoring
        version: 7
        entities:
          - {name: user, join_keys: [user_id], type: int64}
        sources:
          txn:
            kind: store
            entity: user
            timestamp_field: event_ts
            created_timestamp_field: ingest_ts
            ttl: 2h
            on_stale: default
            on_missing_entity: default
            fields:
              - {name: amt_sum_7d, type: float64, default: 0.5}
              - {name: country, type: string}
          device:
            kind: request
            fields:
              - {name: os, type: string}
        request:
          - {name: user_id, type: int64}
          - {name: amount, type: float64, required: true}
          - {name: items, type: int32}
        features:
          - name: amount_z
            input: amount
            treat:
              outlier: {low: 0, high: 50000, treatment: as_extreme}
              missing: {treatment: as_value, value: 0.0, indicator: amount_isnull}
              invalid: {treatment: reject, max: 1e9}
            transform: [{log1p: {}}, {standardize: {mean: 4.1, std: 1.7, ddof: 0}}]
            validate:
              - {finite: true}
              - {between: {min: -8, max: 8}, mostly: 0.999, on_fail: clip}
              - {not_null: true, on_fail: flag}
            monitor: {bins: reference_deciles, metric: psi}
          - name: country
            input: txn.country
            transform: [{one_hot: {vocab: [DE, 'FR', "IT"], unknown: ignore, drop: none}}]
          - {name: hour_sin, input: request_time, transform: [{cyclical: {part: hour, zone: UTC, fn: sin}}]}
          - {name: os, input: device.os, transform: [{hash: {buckets: 64, algorithm: murmur3_x86_32, seed: 42}}]}
          - {name: sum, input: txn.amt_sum_7d, transform: [sqrt, {minmax: {min: 0, max: 9}}], default: 0}
          - {name: bucket, input: items, transform: [{bucketize: {boundaries: [1, 2.5], closed: left}}], emit: false}
          - {name: both, inputs: [features.bucket, txn.country],
             transform: [{cross: {buckets: 8, algorithm: murmur3_x86_32}}]}
          - {name: pair, inputs: [amount, items], transform: [concat]}
          - {name: day, input: request_time, transform: [{datetime: {part: day_of_week, zone: Europe/Paris}}]}
          - name: seen
            input: items
            transform: [{impute: {value: 3, indicator: no_items}}, {clip: {low: 0, high: 5}},
                        {robust: {median: 1, iqr: 2}}]
          - name: place
            input: device.os
            transform: [{vocab: {values: [a, b], unknown: value, unknown_value: 0}}, {embed: {table: [[1, 2], [3, 4]]}}]
          - {name: kind, input: amount, transform: [{cast: {to: int32}}, {power: {method: yeo_johnson, lambda: 0.5}}]}
        output: {tensor: float_input, type: float32, layout: row}
        """;

    private SpecTexts() {}

    /// A specification of one feature, which begins in line 11, with what a transform's list has.
    static String of(String input, String transforms) {
        return """
            apiVersion: v1
            kind: FeaturePipeline
            name: f
            version: 1
            request:
              - {name: x, type: float64}
              - {name: n, type: int64}
              - {name: s, type: string}
              - {name: t, type: timestamp}
            features:
              - name: y
                input: %s
                transform: %s
            output: {tensor: in, type: float32, layout: row}
            """.formatted(input, transforms);
    }
}
