// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import dev.millrace.features.FeatureStatus;
import dev.millrace.lifecycle.ChangeStatistics;
import dev.millrace.lifecycle.VersionState;
import dev.millrace.raw.FeatureCounts;
import dev.millrace.raw.ModelFeatures;
import dev.millrace.runtime.LaneStatistics;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.runtime.Outcome;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/// How model versions stand, what was done to change models, and what models did by all their versions, in Prometheus'
/// text format. Versions come and go, so the text is written from what there is.
///
/// Threads: one at a time.
final class ModelMetrics {
    private static final double NANOS_PER_SECOND = 1e9;

    private final MetricText text = new MetricText();

    /// Everything, as it is now.
    ///
    /// @param versions how versions stand
    /// @param changes what was done to change models
    /// @param totals what models have done by all their versions
    /// @param features what became of features
    String text(
            List<ModelStatus> versions,
            List<ChangeStatistics> changes,
            List<LaneStatistics.Totals> totals,
            List<ModelFeatures> features) {
        text.clear();
        states(versions);
        changes(changes);
        totals(totals);
        if (!features.isEmpty()) {
            features(features);
        }
        return text.toString();
    }

    private void changes(List<ChangeStatistics> changes) {
        counter(changes, "millrace_model_loads_total", "Versions that were loaded", ChangeStatistics::loads);
        counter(
                changes,
                "millrace_model_load_seconds_total",
                "Time spent on loading them",
                model -> model.loadNanos() / NANOS_PER_SECOND);
        counter(
                changes,
                "millrace_model_swaps_total",
                "How often other versions were served than before",
                ChangeStatistics::swaps);
        text.head("millrace_model_load_failures_total", "counter", "Versions that could not be loaded, by the reason");
        for (ChangeStatistics model : changes) {
            for (ChangeStatistics.Failure failure : ChangeStatistics.Failure.values()) {
                text.line(
                        "millrace_model_load_failures_total",
                        MetricText.label("model", model.model()) + ","
                                + MetricText.label("reason", failure.name().toLowerCase(Locale.ROOT)),
                        (double) model.failures().get(failure));
            }
        }
    }

    private void totals(List<LaneStatistics.Totals> totals) {
        String accepted = "millrace_model_requests_accepted_total";
        text.head(accepted, "counter", "Requests that were given slots, by all versions of the model");
        totals.forEach(model -> text.line(accepted, label(model), (double) model.accepted()));
        outcomes(
                totals,
                "millrace_model_requests_ended_total",
                "Accepted requests by how they ended, by all versions of the model",
                LaneStatistics.Totals::ended);
        outcomes(
                totals,
                "millrace_model_requests_refused_total",
                "Requests not accepted, by all versions of the model",
                LaneStatistics.Totals::refused);
        String rows = "millrace_model_rows_total";
        text.head(rows, "counter", "Rows run, by all versions of the model");
        totals.forEach(model -> text.line(rows, label(model), (double) model.rows()));
        String batches = "millrace_model_batches_total";
        text.head(batches, "counter", "Runs, by all versions of the model");
        totals.forEach(model -> text.line(batches, label(model), (double) model.batches()));
    }

    private void features(List<ModelFeatures> models) {
        rows(models, "millrace_feature_rows_total", "Rows made of raw values", FeatureCounts::rows);
        rows(
                models,
                "millrace_feature_rows_degraded_total",
                "Of these, rows with a feature that was stale, not found, invalid or a default",
                FeatureCounts::degraded);
        rows(
                models,
                "millrace_feature_rows_rejected_total",
                "Requests refused for the raw values of a row",
                FeatureCounts::rejected);
        String name = "millrace_feature_status_total";
        text.head(name, "counter", "Rows by the status of each feature; statuses that none had are not there");
        for (ModelFeatures model : models) {
            for (FeatureCounts.OfFeature feature : model.counts().features()) {
                feature.statuses().forEach((status, count) -> {
                    if (count > 0 || status == FeatureStatus.PRESENT) {
                        text.line(
                                name,
                                MetricText.label("feature", feature.name()) + ","
                                        + MetricText.labels(model.model(), model.version()) + ","
                                        + MetricText.label("status", status.name()),
                                (double) count);
                    }
                });
            }
        }
    }

    private void rows(List<ModelFeatures> models, String name, String help, ToLongFunction<FeatureCounts> value) {
        text.head(name, "counter", help);
        for (ModelFeatures model : models) {
            text.line(name, MetricText.labels(model.model(), model.version()), (double)
                    value.applyAsLong(model.counts()));
        }
    }

    private void outcomes(
            List<LaneStatistics.Totals> totals,
            String name,
            String help,
            Function<LaneStatistics.Totals, Map<Outcome, Long>> counts) {
        text.head(name, "counter", help);
        for (LaneStatistics.Totals model : totals) {
            for (Outcome outcome : Outcome.values()) {
                text.line(
                        name,
                        label(model) + ","
                                + MetricText.label("outcome", outcome.name().toLowerCase(Locale.ROOT)),
                        (double) counts.apply(model).getOrDefault(outcome, 0L));
            }
        }
    }

    private static String label(LaneStatistics.Totals model) {
        return MetricText.label("model", model.model());
    }

    private void states(List<ModelStatus> versions) {
        text.head("millrace_model_state", "gauge", "1 for the state that a model version is in, 0 for the others");
        for (ModelStatus version : versions) {
            for (VersionState state : VersionState.values()) {
                text.line(
                        "millrace_model_state",
                        MetricText.label("model", version.model()) + "," + MetricText.label("state", state.name()) + ","
                                + MetricText.label("version", Long.toString(version.version())),
                        version.state() == state ? 1.0 : 0.0);
            }
        }
    }

    private void counter(
            List<ChangeStatistics> changes, String name, String help, ToDoubleFunction<ChangeStatistics> value) {
        text.head(name, "counter", help);
        for (ChangeStatistics model : changes) {
            text.line(name, MetricText.label("model", model.model()), value.applyAsDouble(model));
        }
    }
}
