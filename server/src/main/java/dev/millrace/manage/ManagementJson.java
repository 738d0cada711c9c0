// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.json.JsonWriter;
import dev.millrace.manage.ModelStatistics.Batch;
import dev.millrace.manage.ModelStatistics.Spent;
import dev.millrace.runtime.ModelStatus;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;

/// Answers to management requests as the Open Inference Protocol's extensions write them. Threads: any.
public final class ManagementJson {
    private ManagementJson() {}

    /// `{"model_stats":[...]}`.
    public static byte[] statistics(List<ModelStatistics> all) {
        JsonWriter json = new JsonWriter().raw("{\"model_stats\":[");
        String separator = "";
        for (ModelStatistics one : all) {
            json.raw(separator);
            statistics(json, one);
            separator = ",";
        }
        return json.raw("]}").toBytes();
    }

    private static void statistics(JsonWriter json, ModelStatistics one) {
        json.raw("{\"name\":").string(one.model());
        json.raw(",\"version\":\"").number(one.version());
        json.raw("\",\"last_inference\":").number(one.lastInferenceMillis());
        json.raw(",\"inference_count\":").number(one.inferenceCount());
        json.raw(",\"execution_count\":").number(one.executionCount());
        json.raw(",\"inference_stats\":{");
        spent(json, "success", one.success());
        spent(json.raw(','), "fail", one.fail());
        spent(json.raw(','), "queue", one.queue());
        spent(json.raw(','), "compute_input", one.computeInput());
        spent(json.raw(','), "compute_infer", one.computeInfer());
        spent(json.raw(','), "compute_output", one.computeOutput());
        spent(json.raw(','), "cache_hit", one.cacheHit());
        spent(json.raw(','), "cache_miss", one.cacheMiss());
        json.raw("},\"response_stats\":{},\"batch_stats\":[");
        String separator = "";
        for (Batch batch : one.batches()) {
            json.raw(separator);
            batch(json, batch);
            separator = ",";
        }
        json.raw("],\"memory_usage\":[{\"type\":\"CPU\",\"id\":0,\"byte_size\":")
                .number(one.memoryBytes())
                .raw("}]}");
    }

    /// A batch's rows are in its tensor before it is formed, and answers are timed by request: neither takes time that
    /// is a batch's.
    private static void batch(JsonWriter json, Batch batch) {
        Spent untimed = new Spent(batch.runs().count(), 0);
        json.raw("{\"batch_size\":").number(batch.rows());
        spent(json.raw(','), "compute_input", untimed);
        spent(json.raw(','), "compute_infer", batch.runs());
        spent(json.raw(','), "compute_output", untimed);
        json.raw('}');
    }

    private static void spent(JsonWriter json, String name, Spent spent) {
        json.raw("\"" + name + "\":{\"count\":")
                .number(spent.count())
                .raw(",\"ns\":")
                .number(spent.nanos())
                .raw('}');
    }

    /// An array of model versions.
    public static byte[] index(List<IndexEntry> entries) {
        JsonWriter json = new JsonWriter().raw('[');
        String separator = "";
        for (IndexEntry entry : entries) {
            json.raw(separator).raw("{\"name\":").string(entry.model());
            if (entry.version() > 0) {
                json.raw(",\"version\":\"").number(entry.version()).raw('"');
            }
            json.raw(",\"state\":\"" + entry.state() + "\",\"reason\":")
                    .string(entry.reason())
                    .raw('}');
            separator = ",";
        }
        return json.raw(']').toBytes();
    }

    /// What is traced: texts, but for the levels, which are an array.
    public static byte[] trace(Map<String, List<String>> settings) {
        JsonWriter json = new JsonWriter().raw('{');
        String separator = "";
        for (Map.Entry<String, List<String>> setting : settings.entrySet()) {
            json.raw(separator).string(setting.getKey()).raw(':');
            if (setting.getKey().equals("trace_level")) {
                json.raw('[');
                String between = "";
                for (String level : setting.getValue()) {
                    json.raw(between).string(level);
                    between = ",";
                }
                json.raw(']');
            } else {
                json.string(setting.getValue().getFirst());
            }
            separator = ",";
        }
        return json.raw('}').toBytes();
    }

    /// The versions of a model: `{"name":...,"versions":[...]}`.
    ///
    /// @param versions at least one
    public static byte[] versions(List<ModelStatus> versions) {
        JsonWriter json = new JsonWriter()
                .raw("{\"name\":")
                .string(versions.getFirst().model())
                .raw(",\"versions\":[");
        String separator = "";
        for (ModelStatus status : versions) {
            json.raw(separator).raw("{\"version\":\"").number(status.version());
            json.raw("\",\"state\":\"" + status.state() + "\",\"reason\":").string(status.reason());
            json.raw(",\"aliases\":[");
            String comma = "";
            for (String alias : status.aliases()) {
                json.raw(comma).string(alias);
                comma = ",";
            }
            json.raw("],\"sha256\":").string(status.sha256());
            json.raw(",\"loaded_at\":")
                    .string(status.loadedAt()
                            .map(time -> time.truncatedTo(ChronoUnit.MILLIS).toString())
                            .orElse(""));
            json.raw(",\"kept\":").bool(status.kept()).raw('}');
            separator = ",";
        }
        return json.raw("]}").toBytes();
    }

    /// What is logged.
    public static byte[] log(LogSettings settings) {
        return new JsonWriter()
                .raw("{\"log_file\":\"\",\"log_info\":")
                .bool(settings.info())
                .raw(",\"log_warning\":")
                .bool(settings.warning())
                .raw(",\"log_error\":")
                .bool(settings.error())
                .raw(",\"log_verbose_level\":")
                .number(settings.verboseLevel())
                .raw(",\"log_format\":\"" + settings.format().label() + "\"}")
                .toBytes();
    }
}
