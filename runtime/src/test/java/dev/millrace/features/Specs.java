// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.FeatureSpec;
import java.nio.file.Path;

/// Small specifications.
final class Specs {
    private Specs() {}

    /// A plan of features, written in lines of a list, over the request's fields x, n, s and t and
    /// a stored view.
    static FeaturePlan plan(String features) {
        return plan("ttl: 1h", features);
    }

    /// @param view more keys of the view, in flow style
    static FeaturePlan plan(String view, String features) {
        return FeaturePlan.compile(FeatureSpec.parse("""
            apiVersion: v1
            kind: FeaturePipeline
            name: small
            version: 3
            entities: [{name: user, join_keys: [n], type: int64}]
            sources:
              v: {kind: store, entity: user, %s,
                  fields: [{name: a, type: float64, default: 0.5}, {name: b, type: string}]}
            request:
              - {name: x, type: float64}
              - {name: n, type: int64}
              - {name: i, type: int32}
              - {name: p, type: bool}
              - {name: f, type: float32}
              - {name: s, type: string}
              - {name: t, type: timestamp}
              - {name: must, type: float64, required: true}
            features:
            %soutput: {tensor: in, type: float32, layout: row}
            """.formatted(view, features.indent(2)), Path.of("")));
    }
}
