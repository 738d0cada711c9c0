// SPDX-License-Identifier: Apache-2.0
package dev.millrace.raw;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureSource;
import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.ValueType;
import dev.millrace.version.Goldens;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A plan in front of a model: what requests bring are raw values, and the model's input is what the
/// plan makes of them.
///
/// Threads: any; but for its counts it does not change.
public final class ServedPlan {
    /// The reports that answers have if they are asked for by these names: a text for each row and
    /// feature, microseconds for each row and feature, a truth value for each row.
    public static final String STATUS = "feature_status";

    /// See [#STATUS].
    public static final String AGE = "feature_age_us";
    /// See [#STATUS].
    public static final String DEGRADED = "degraded";

    private static final long ANY = -1;

    private final FeaturePlan plan;
    private final FeatureSource source;
    private final Signature signature;
    private final FeatureCounters counters;
    private final MemoryBudget memory;
    private final MemoryBudget heap;

    private ServedPlan(
            FeaturePlan plan, FeatureSource source, Signature signature, MemoryBudget memory, MemoryBudget heap) {
        this.memory = memory;
        this.heap = heap;
        this.plan = plan;
        this.source = source;
        this.signature = signature;
        this.counters = new FeatureCounters(plan.spec());
    }

    /// A plan for a model.
    ///
    /// @param source where stored values come from
    /// @param memory what the raw values of requests are booked in
    /// @param heap what their texts are booked in
    /// @throws IllegalArgumentException if the plan's columns are not what the model takes, or the
    ///     source does not have what the plan needs
    public static ServedPlan of(
            FeaturePlan plan, FeatureSource source, Signature model, MemoryBudget memory, MemoryBudget heap) {
        requireFit(plan, model);
        ServedPlan served = new ServedPlan(plan, source, raw(plan, model), memory, heap);
        plan.newRow(source).close();
        return served;
    }

    private static void requireFit(FeaturePlan plan, Signature model) {
        FeatureSpec spec = plan.spec();
        String tensor = spec.tensor();
        List<String> inputs = model.inputs().stream().map(TensorSpec::name).toList();
        if (!inputs.equals(List.of(tensor))) {
            throw new IllegalArgumentException(
                    "output.tensor '" + tensor + "' came, expected the model's only input, of " + inputs);
        }
        TensorSpec input = model.inputs().getFirst();
        List<Long> shape = input.shape();
        boolean fits = input.datatype() == DataType.FP32
                && shape.size() == 2
                && (shape.getLast() == ANY || shape.getLast() == plan.width());
        if (!fits) {
            throw new IllegalArgumentException("its " + plan.width() + " columns are FP32[-1, " + plan.width()
                    + "], expected " + input.datatype() + shape + " for the model's input '" + tensor + "'");
        }
        Set<String> taken = new HashSet<>(List.of(STATUS, AGE, DEGRADED));
        for (TensorSpec output : model.outputs()) {
            if (taken.contains(output.name())) {
                throw new IllegalArgumentException("the model's output '" + output.name()
                        + "' came, expected another name than those of reports, " + List.of(STATUS, AGE, DEGRADED));
            }
        }
    }

    private static Signature raw(FeaturePlan plan, Signature model) {
        List<TensorSpec> inputs = new ArrayList<>();
        for (int field = 0; field < plan.fieldCount(); field++) {
            FieldSpec of = plan.fieldSpec(field);
            inputs.add(new TensorSpec(plan.fieldName(field), datatype(of.type()), List.of(ANY), !of.required()));
        }
        long features = plan.spec().features().size();
        return new Signature(
                inputs,
                model.outputs(),
                List.of(
                        new TensorSpec(STATUS, DataType.BYTES, List.of(ANY, features)),
                        new TensorSpec(AGE, DataType.INT64, List.of(ANY, features)),
                        new TensorSpec(DEGRADED, DataType.BOOL, List.of(ANY))));
    }

    static DataType datatype(ValueType type) {
        return switch (type) {
            case FLOAT64 -> DataType.FP64;
            case FLOAT32 -> DataType.FP32;
            case INT64, TIMESTAMP -> DataType.INT64;
            case INT32 -> DataType.INT32;
            case BOOL -> DataType.BOOL;
            case STRING -> DataType.BYTES;
        };
    }

    /// What a request brings, a tensor for each raw value, and what an answer has.
    public Signature signature() {
        return signature;
    }

    /// The plan.
    public FeaturePlan plan() {
        return plan;
    }

    /// What has become of the features of all requests so far.
    public FeatureCounts counts() {
        return counters.sum();
    }

    /// What the specification is called, as data that goes with the model's own.
    public Map<String, String> metadata() {
        FeatureSpec spec = plan.spec();
        return Map.of(
                "features.name",
                spec.name(),
                "features.version",
                Long.toString(spec.version()),
                "features.sha256",
                spec.digest());
    }

    /// How the requests of goldens become the model's input.
    public Goldens.RawForm goldens() {
        return new GoldenRows(this);
    }

    /// Room for the raw values of a request.
    public RawRows open() {
        return new RawRows(this, source, memory, heap, counters);
    }
}
