// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonWriter;
import dev.millrace.lifecycle.VersionState;
import dev.millrace.memory.DataType;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.ModelStatus;
import java.util.List;

/// What TensorFlow Serving's REST API tells about models. Threads: stateless.
public final class PredictPages {
    private PredictPages() {}

    /// The states of versions of one model, as TensorFlow Serving lists them, and whether it is ready, as KServe asks.
    public static byte[] status(List<ModelStatus> versions) {
        JsonWriter json = new JsonWriter();
        json.raw("{\"name\":").string(versions.getFirst().model());
        json.raw(",\"ready\":").bool(versions.stream().anyMatch(ModelStatus::ready));
        json.raw(",\"model_version_status\":[");
        String separator = "";
        for (ModelStatus version : versions) {
            json.raw(separator).raw("{\"version\":\"" + version.version() + "\",\"state\":");
            json.string(state(version));
            json.raw(",\"status\":{\"error_code\":");
            json.string(version.state() == VersionState.UNAVAILABLE ? "UNAVAILABLE" : "OK");
            json.raw(",\"error_message\":").string(version.reason()).raw("}}");
            separator = ",";
        }
        return json.raw("]}").toBytes();
    }

    /// By TensorFlow Serving's names. One that is loaded and answers nothing, be it kept for a rollback or failing, is
    /// at its start again: it may answer later. One that could not be loaded, or was unloaded, has come to its end.
    private static String state(ModelStatus version) {
        return switch (version.state()) {
            case LOADING -> "LOADING";
            case READY -> "AVAILABLE";
            case UNLOADING -> "UNLOADING";
            case UNAVAILABLE -> version.loadedAt().isPresent() ? "START" : "END";
        };
    }

    /// The inputs and outputs of a model version that is loaded.
    public static byte[] metadata(ModelStatus version) {
        Signature signature = version.signature().orElseThrow();
        JsonWriter json = new JsonWriter();
        json.raw("{\"model_spec\":{\"name\":").string(version.model());
        json.raw(",\"signature_name\":\"\",\"version\":\"" + version.version() + "\"},");
        json.raw("\"metadata\":{\"signature_def\":{\"signature_def\":{\"serving_default\":{\"inputs\":");
        tensors(json, signature.inputs());
        json.raw(",\"outputs\":");
        tensors(json, signature.outputs());
        return json.raw(",\"method_name\":\"tensorflow/serving/predict\"}}}}}").toBytes();
    }

    private static void tensors(JsonWriter json, List<TensorSpec> specs) {
        char separator = '{';
        for (TensorSpec spec : specs) {
            json.raw(separator).string(spec.name());
            json.raw(":{\"dtype\":\"" + type(spec.datatype()) + "\",\"tensor_shape\":{\"dim\":[");
            String between = "";
            for (long size : spec.shape()) {
                json.raw(between + "{\"size\":\"" + size + "\",\"name\":\"\"}");
                between = ",";
            }
            json.raw("],\"unknown_rank\":false},\"name\":").string(spec.name()).raw('}');
            separator = ',';
        }
        json.raw('}');
    }

    private static String type(DataType type) {
        return switch (type) {
            case BOOL -> "DT_BOOL";
            case UINT8 -> "DT_UINT8";
            case UINT16 -> "DT_UINT16";
            case UINT32 -> "DT_UINT32";
            case UINT64 -> "DT_UINT64";
            case INT8 -> "DT_INT8";
            case INT16 -> "DT_INT16";
            case INT32 -> "DT_INT32";
            case INT64 -> "DT_INT64";
            case FP16 -> "DT_HALF";
            case BF16 -> "DT_BFLOAT16";
            case FP32 -> "DT_FLOAT";
            case FP64 -> "DT_DOUBLE";
            case BYTES -> "DT_STRING";
        };
    }
}
