// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonWriter;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.runtime.Outcome;
import java.util.List;

/// Answers everything but inference: what the server and its models are, and whether they are ready. Threads: any.
final class Endpoints {
    private static final String PLATFORM = "onnxruntime_onnx";

    private final Millrace millrace;
    private final Metrics metrics;

    Endpoints(Millrace millrace, Metrics metrics) {
        this.millrace = millrace;
        this.metrics = metrics;
    }

    /// Answers an exchange now, or later on its loop.
    void answer(Exchange exchange, Loop loop) {
        Route route = exchange.route();
        try {
            switch (route.target()) {
                case SERVER -> exchange.answer(server());
                case LIVE -> exchange.answer(flag(HttpStatus.OK, "live", true));
                case READY -> exchange.answer(ready(!loop.isDraining() && millrace.isOpen()));
                case METRICS -> metrics.answer(exchange, loop);
                case MODEL -> exchange.answer(model(route));
                case MODEL_READY -> exchange.answer(modelReady(route));
                case INFER -> throw new IllegalStateException("not answered here");
            }
        } catch (Refusal e) {
            exchange.answer(Page.error(HttpStatus.of(e.outcome()), e.getMessage()));
        }
    }

    private static Page server() {
        return Page.json(
                HttpStatus.OK,
                new JsonWriter()
                        .raw("{\"name\":\"millrace\",\"version\":")
                        .string(Version.number())
                        .raw(",\"extensions\":[]}")
                        .toBytes());
    }

    private static Page flag(int status, String name, boolean value) {
        return Page.json(
                status,
                new JsonWriter().raw("{\"" + name + "\":").bool(value).raw('}').toBytes());
    }

    private static Page ready(boolean ready) {
        return flag(ready ? HttpStatus.OK : HttpStatus.UNAVAILABLE, "ready", ready);
    }

    private Page modelReady(Route route) {
        ModelStatus status = find(route);
        boolean ready = status.ready() && millrace.isOpen();
        JsonWriter json = new JsonWriter()
                .raw("{\"name\":")
                .string(status.model())
                .raw(",\"ready\":")
                .bool(ready);
        if (!ready) {
            json.raw(",\"error\":").string(status.reason());
        }
        return Page.json(
                ready ? HttpStatus.OK : HttpStatus.UNAVAILABLE, json.raw('}').toBytes());
    }

    private Page model(Route route) {
        ModelStatus status = find(route);
        if (status.signature().isEmpty()) {
            throw new Refusal(Outcome.UNAVAILABLE, "model '" + status.model() + "' is not served: " + status.reason());
        }
        JsonWriter json =
                new JsonWriter().raw("{\"name\":").string(status.model()).raw(",\"versions\":[");
        String separator = "";
        for (ModelStatus other : millrace.status()) {
            if (other.model().equals(status.model()) && other.signature().isPresent()) {
                json.raw(separator).string(Long.toString(other.version()));
                separator = ",";
            }
        }
        json.raw("],\"platform\":\"" + PLATFORM + '"');
        status.signature().ifPresent(signature -> signature(json, signature));
        status.batching()
                .ifPresent(
                        batching -> parameters(json, batching, status.config().orElseThrow()));
        return Page.json(HttpStatus.OK, json.raw('}').toBytes());
    }

    private static void signature(JsonWriter json, Signature signature) {
        tensors(json.raw(",\"inputs\":["), signature.inputs());
        tensors(json.raw("],\"outputs\":["), signature.outputs());
        json.raw(']');
    }

    private static void tensors(JsonWriter json, List<TensorSpec> specs) {
        String separator = "";
        for (TensorSpec spec : specs) {
            json.raw(separator)
                    .raw("{\"name\":")
                    .string(spec.name())
                    .raw(",\"datatype\":\"" + spec.datatype() + "\",\"shape\":")
                    .raw(spec.shape().toString().replace(" ", ""))
                    .raw('}');
            separator = ",";
        }
    }

    /// How it is batched and the values in force, by their names in the model's configuration.
    private static void parameters(JsonWriter json, Batching batching, ModelConfig config) {
        json.raw(",\"parameters\":{\"batching\":\"" + batching.kind() + "\",\"batching_reason\":")
                .string(batching.reason());
        config.maxBatchSize().ifPresent(rows -> number(json, "max_batch_size", rows));
        if (!config.preferredBatchSizes().isEmpty()) {
            json.raw(",\"preferred_batch_size\":")
                    .raw(config.preferredBatchSizes().toString().replace(" ", ""));
        }
        config.maxQueueDelay().ifPresent(delay -> number(json, "max_queue_delay_microseconds", delay.toNanos() / 1000));
        config.maxQueueSize().ifPresent(rows -> number(json, "max_queue_size", rows));
        config.instanceCount().ifPresent(count -> number(json, "instance_count", count));
        config.intraOpThreads().ifPresent(threads -> number(json, "intra_op_thread_count", threads));
        config.objectiveP99().ifPresent(bound -> json.raw(",\"objective.p99_ms\":" + bound.toNanos() / 1e6));
        json.raw('}');
    }

    private static void number(JsonWriter json, String name, long value) {
        json.raw(",\"" + name + "\":").number(value);
    }

    /// The model version that a path names; without a version, the one that is served, or else why none is.
    private ModelStatus find(Route route) {
        long version = route.version() == null ? -1 : CallPools.number(route.model(), route.version());
        ModelStatus found = null;
        boolean known = false;
        for (ModelStatus status : millrace.status()) {
            if (status.model().equals(route.model())) {
                known = true;
                boolean fits = version < 0 || version == status.version();
                found = fits && (found == null || status.ready()) ? status : found;
            }
        }
        if (found == null) {
            throw new Refusal(
                    Outcome.NOT_FOUND,
                    known
                            ? "model '" + route.model() + "' has no version " + version
                            : "model '" + route.model() + "' is not in the repository");
        }
        return found;
    }
}
