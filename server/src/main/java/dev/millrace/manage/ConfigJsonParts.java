// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.json.JsonWriter;
import dev.millrace.model.EnsembleConfig;
import dev.millrace.model.WarmUp;
import java.util.List;
import java.util.Map;

/// The parts of a `ModelConfig` that only a model's file says. Threads: any.
final class ConfigJsonParts {
    private ConfigJsonParts() {}

    static void warmUps(JsonWriter json, List<WarmUp> warmUps) {
        json.raw(",\"model_warmup\":[");
        String separator = "";
        for (WarmUp warmUp : warmUps) {
            json.raw(separator).raw("{\"name\":").string(warmUp.name());
            json.raw(",\"batch_size\":").number(warmUp.rows());
            json.raw(",\"count\":").number(warmUp.count()).raw(",\"inputs\":{");
            String between = "";
            for (Map.Entry<String, WarmUp.Input> input : warmUp.inputs().entrySet()) {
                json.raw(between).string(input.getKey()).raw(':');
                input(json, input.getValue());
                between = ",";
            }
            json.raw("}}");
            separator = ",";
        }
        json.raw(']');
    }

    private static void input(JsonWriter json, WarmUp.Input input) {
        json.raw('{');
        if (!input.dataType().isEmpty()) {
            json.raw("\"data_type\":").string(input.dataType()).raw(',');
        }
        json.raw("\"dims\":").raw(input.dims().toString().replace(" ", ""));
        switch (input.source()) {
            case ZERO -> json.raw(",\"zero_data\":true}");
            case RANDOM -> json.raw(",\"random_data\":true}");
            case FILE -> json.raw(",\"input_data_file\":").string(input.file()).raw('}');
        }
    }

    static void steps(JsonWriter json, List<EnsembleConfig.Step> steps) {
        json.raw(",\"ensemble_scheduling\":{\"step\":[");
        String separator = "";
        for (EnsembleConfig.Step step : steps) {
            json.raw(separator).raw("{\"model_name\":").string(step.model());
            json.raw(",\"model_version\":").number(step.version());
            names(json.raw(",\"input_map\":"), step.inputs());
            names(json.raw(",\"output_map\":"), step.outputs());
            json.raw('}');
            separator = ",";
        }
        json.raw("]}");
    }

    private static void names(JsonWriter json, Map<String, String> map) {
        char separator = '{';
        for (Map.Entry<String, String> entry : map.entrySet()) {
            json.raw(separator).string(entry.getKey()).raw(':').string(entry.getValue());
            separator = ',';
        }
        json.raw(map.isEmpty() ? "{}" : "}");
    }
}
