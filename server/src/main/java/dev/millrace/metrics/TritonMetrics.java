// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import com.sun.management.OperatingSystemMXBean;
import dev.millrace.manage.FailureReason;
import dev.millrace.manage.ModelStatistics;
import dev.millrace.manage.ModelStatistics.Spent;
import dev.millrace.runtime.LaneStatistics;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/// The metrics that Triton has, by its names, so that dashboards and alerts made for it go on working. Its counters do
/// not end in `_total` as those of Prometheus' libraries have to; so the text is written here.
///
/// Threads: one at a time.
final class TritonMetrics {
    private static final long NANOS_PER_MICRO = 1000;
    private static final double NANOS_PER_SECOND = 1e9;

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final MetricText text = new MetricText();

    /// Everything in Prometheus' text format.
    ///
    /// @param models what the served model versions have done
    /// @param lanes what they are about to do
    String text(List<ModelStatistics> models, List<LaneStatistics> lanes) {
        text.clear();
        requests(models);
        durations(models);
        cache(models);
        text.head("nv_model_load_duration_secs", "gauge", "How long it took to load and warm up the model");
        for (LaneStatistics lane : lanes) {
            text.line(
                    "nv_model_load_duration_secs",
                    MetricText.labels(lane.model(), lane.version()),
                    lane.loadNanos() / NANOS_PER_SECOND);
        }
        text.head(
                "nv_inference_pending_request_count", "gauge", "Requests that wait for a run, as far as that is known");
        for (LaneStatistics lane : lanes) {
            text.line(
                    "nv_inference_pending_request_count",
                    MetricText.labels(lane.model(), lane.version()),
                    Math.min(lane.queued(), lane.inFlight()));
        }
        system();
        return text.toString();
    }

    private void requests(List<ModelStatistics> models) {
        counter(
                models,
                "nv_inference_request_success",
                "Answered requests",
                model -> model.success().count());
        text.head("nv_inference_request_failure", "counter", "Requests that were not answered, by the reason");
        for (ModelStatistics model : models) {
            for (FailureReason reason : FailureReason.values()) {
                text.line(
                        "nv_inference_request_failure",
                        "model=\"" + MetricText.escaped(model.model()) + "\",reason=\"" + reason + "\",version=\""
                                + model.version() + '"',
                        model.failures().get(reason));
            }
        }
        counter(models, "nv_inference_count", "Rows run", ModelStatistics::inferenceCount);
        counter(models, "nv_inference_exec_count", "Runs of the model", ModelStatistics::executionCount);
    }

    private void durations(List<ModelStatistics> models) {
        duration(models, "request", "Answered requests, decoding and encoding included", ModelStatistics::success);
        duration(models, "queue", "Waiting of answered requests", ModelStatistics::queue);
        duration(models, "compute_input", "Copying the inputs of answered requests", ModelStatistics::computeInput);
        duration(models, "compute_infer", "Runs that answered requests were in", ModelStatistics::computeInfer);
        duration(models, "compute_output", "Copying the outputs of answered requests", ModelStatistics::computeOutput);
    }

    private void cache(List<ModelStatistics> models) {
        counter(
                models,
                "nv_cache_num_hits_per_model",
                "Requests answered from the response cache",
                model -> model.cacheHit().count());
        counter(
                models,
                "nv_cache_num_misses_per_model",
                "Requests that the response cache had no answer for",
                model -> model.cacheMiss().count());
        counter(
                models,
                "nv_cache_hit_duration_per_model",
                "Finding answers and copying them, in microseconds",
                model -> model.cacheHit().nanos() / NANOS_PER_MICRO);
        counter(
                models,
                "nv_cache_miss_duration_per_model",
                "Looking in vain and keeping answers, in microseconds",
                model -> model.cacheMiss().nanos() / NANOS_PER_MICRO);
    }

    private void duration(
            List<ModelStatistics> models, String what, String help, Function<ModelStatistics, Spent> spent) {
        counter(
                models,
                "nv_inference_" + what + "_duration_us",
                help + ", in microseconds",
                model -> spent.apply(model).nanos() / NANOS_PER_MICRO);
    }

    private void counter(
            List<ModelStatistics> models, String name, String help, ToLongFunction<ModelStatistics> value) {
        text.head(name, "counter", help);
        for (ModelStatistics model : models) {
            text.line(name, MetricText.labels(model.model(), model.version()), value.applyAsLong(model));
        }
    }

    private void system() {
        text.head("nv_cpu_utilization", "gauge", "Processor use of the machine, 1 is all processors");
        text.line("nv_cpu_utilization", "", Math.max(0, system.getCpuLoad()));
        long total = system.getTotalMemorySize();
        text.head("nv_cpu_memory_total_bytes", "gauge", "Memory of the machine or the container");
        text.line("nv_cpu_memory_total_bytes", "", total);
        text.head("nv_cpu_memory_used_bytes", "gauge", "What is used of it");
        text.line("nv_cpu_memory_used_bytes", "", total - system.getFreeMemorySize());
    }
}
