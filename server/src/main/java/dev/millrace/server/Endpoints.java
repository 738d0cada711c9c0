// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.json.JsonWriter;
import dev.millrace.manage.Management;
import dev.millrace.manage.ManagementException;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryExceededException;
import dev.millrace.memory.MemoryTag;
import dev.millrace.model.Batching;
import dev.millrace.model.ModelConfig;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import dev.millrace.online.OnlineFeatures;
import dev.millrace.protocol.OutputWriter;
import dev.millrace.protocol.PredictPages;
import dev.millrace.protocol.Refusal;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.runtime.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/// Answers everything but inference: what the server and its models are, whether they are ready, and what is asked of
/// them beside. Threads: any.
final class Endpoints {
    private static final byte[] NOTHING = {};
    private static final int COPIES = 3;

    private final Metrics metrics;
    private final Management management;
    private final ManagementPages pages;
    private final OnlineFeatures features;

    Endpoints(Metrics metrics, Management management, OnlineFeatures features) {
        this.features = features;
        this.metrics = metrics;
        this.management = management;
        this.pages = new ManagementPages(management);
    }

    /// Answers an exchange now, or later on its loop.
    ///
    /// @param body of the request; none of it is read
    void answer(Exchange exchange, Loop loop, ByteBuf body) {
        Route route = exchange.route();
        try {
            switch (route.target()) {
                case SERVER -> exchange.answer(server(management.extensions()));
                case LIVE -> exchange.answer(flag(HttpStatus.OK, "live", true));
                case READY, PING -> exchange.answer(ready(management.isReady()));
                case METRICS -> metrics.answer(exchange, loop);
                case MODEL -> exchange.answer(model(route));
                case INDEX -> later(exchange, loop, pages.index(body));
                case LOAD, UNLOAD, ROLLBACK, ALIAS, ALIAS_REMOVAL -> change(exchange, loop, body);
                case MODEL_READY -> exchange.answer(modelReady(route));
                case PREDICT_STATUS -> exchange.answer(predictStatus(route));
                case PREDICT_METADATA -> exchange.answer(predictMetadata(route));
                case ONLINE_FEATURES -> onlineFeatures(exchange, loop, body);
                case PUSH -> beside(exchange, loop, body, this::push);
                case INFER, PREDICT, INVOKE -> throw new IllegalStateException("not answered here");
                default -> exchange.answer(pages.answer(route, body));
            }
        } catch (Refusal e) {
            exchange.answer(Page.error(HttpStatus.of(e), e.getMessage()));
        } catch (ManagementException e) {
            exchange.answer(Page.of(e));
        } catch (MemoryExceededException e) {
            exchange.answer(outOfMemory(e));
        }
    }

    /// Small requests for features are answered at once, larger ones beside the loop, which has others to answer.
    private void onlineFeatures(Exchange exchange, Loop loop, ByteBuf body) {
        if (OnlineFeatures.isSmall(body.readableBytes())) {
            later(
                    exchange,
                    loop,
                    features.answer(ByteBufUtil.getBytes(body)).thenApply(json -> Page.json(HttpStatus.OK, json)));
        } else {
            beside(exchange, loop, body, text -> features.answer(text).join());
        }
    }

    private byte[] push(byte[] body) {
        try {
            return features.push(body);
        } catch (IOException | IllegalStateException e) {
            throw new Refusal(Outcome.UNAVAILABLE, "the feature store cannot be written: " + e.getMessage());
        }
    }

    /// Answers later, on the loop, what is found out by a thread of its own.
    private void beside(Exchange exchange, Loop loop, ByteBuf body, UnaryOperator<byte[]> answer) {
        long taken = features.reserve("the body", body.readableBytes());
        byte[] text = ByteBufUtil.getBytes(body);
        Supplier<Page> page = () -> Page.json(HttpStatus.OK, answer.apply(text));
        later(
                exchange,
                loop,
                CompletableFuture.supplyAsync(page, Thread::startVirtualThread)
                        .whenComplete((_, _) -> features.release(taken)));
    }

    /// Answers when the models are changed, which may take a while. What came for that is on the heap until then: as it
    /// came, as text, and decoded.
    private void change(Exchange exchange, Loop loop, ByteBuf body) {
        MemoryBudget heap = loop.heap();
        long copies = (long) COPIES * body.readableBytes();
        heap.reserve(MemoryTag.BODY, copies);
        CompletionStage<Void> changed;
        try {
            changed = pages.change(exchange.route(), body);
        } catch (RuntimeException e) {
            heap.release(MemoryTag.BODY, copies);
            throw e;
        }
        later(
                exchange,
                loop,
                changed.whenComplete((_, _) -> heap.release(MemoryTag.BODY, copies))
                        .thenApply(_ -> Page.json(HttpStatus.OK, NOTHING)));
    }

    /// Answers when there is an answer: at once, or on the loop.
    private static void later(Exchange exchange, Loop loop, CompletionStage<Page> answer) {
        answer.whenComplete((page, problem) -> {
            Page told = problem == null ? page : failed(problem);
            if (loop.executor().inEventLoop()) {
                exchange.answer(told);
                exchange.requester().advance();
            } else {
                loop.executor().execute(() -> {
                    exchange.answer(told);
                    exchange.requester().advance();
                });
            }
        });
    }

    private static Page failed(Throwable problem) {
        return switch (problem) {
            case CompletionException e when e.getCause() != null -> failed(e.getCause());
            case ManagementException e -> Page.of(e);
            case Refusal e -> Page.error(HttpStatus.of(e), e.getMessage());
            case MemoryExceededException e -> outOfMemory(e);
            default -> Loop.bug(problem);
        };
    }

    private static Page outOfMemory(MemoryExceededException problem) {
        InferenceException refusal = InferenceException.of(problem, 0);
        return Page.error(HttpStatus.of(refusal.outcome()), refusal.getMessage());
    }

    private static Page server(List<String> extensions) {
        JsonWriter json =
                new JsonWriter().raw("{\"name\":\"millrace\",\"version\":").string(Version.number());
        json.raw(",\"extensions\":[\"" + String.join("\",\"", extensions) + "\"]}");
        return Page.json(HttpStatus.OK, json.toBytes());
    }

    private static Page flag(int status, String name, boolean value) {
        return Page.json(
                status,
                new JsonWriter().raw("{\"" + name + "\":").bool(value).raw('}').toBytes());
    }

    private static Page ready(boolean ready) {
        return flag(ready ? HttpStatus.OK : HttpStatus.UNAVAILABLE, "ready", ready);
    }

    /// All versions of a model, or the one that the path names.
    private Page predictStatus(Route route) {
        ModelStatus found = management.find(route.model(), route.version());
        List<ModelStatus> versions = route.version() != null ? List.of(found) : management.versions(found.model());
        return Page.json(HttpStatus.OK, PredictPages.status(versions));
    }

    private Page predictMetadata(Route route) {
        ModelStatus found = management.find(route.model(), route.version());
        if (!Management.isServed(found)) {
            throw new Refusal(Outcome.UNAVAILABLE, "model '" + found.model() + "' is not served: " + found.reason());
        }
        return Page.json(HttpStatus.OK, PredictPages.metadata(found));
    }

    private Page modelReady(Route route) {
        ModelStatus status = management.find(route.model(), route.version());
        boolean ready = status.ready() && !management.isLeaving();
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
        ModelStatus status = management.find(route.model(), route.version());
        if (!Management.isServed(status)) {
            throw new Refusal(Outcome.UNAVAILABLE, "model '" + status.model() + "' is not served: " + status.reason());
        }
        JsonWriter json =
                new JsonWriter().raw("{\"name\":").string(status.model()).raw(",\"versions\":[");
        String separator = "";
        for (ModelStatus other : management.versions(status.model())) {
            if (Management.isServed(other)) {
                json.raw(separator).string(Long.toString(other.version()));
                separator = ",";
            }
        }
        json.raw("],\"platform\":").string(status.platform());
        status.signature().ifPresent(signature -> signature(json, signature));
        status.batching().ifPresent(batching -> {
            parameters(json, batching, status.config().orElseThrow());
            features(json, status);
            json.raw('}');
        });
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
    }

    /// Which specification its inputs are raw values of, and which of them may be left out.
    private static void features(JsonWriter json, ModelStatus status) {
        status.metadata().forEach((key, value) -> {
            if (key.startsWith("features.")) {
                json.raw(',').string(key).raw(':').string(value);
            }
        });
        List<String> optional = status.signature().orElseThrow().inputs().stream()
                .filter(TensorSpec::optional)
                .map(TensorSpec::name)
                .toList();
        if (!optional.isEmpty()) {
            json.raw(",\"optional_inputs\":").raw(OutputWriter.keys(optional));
        }
    }

    private static void number(JsonWriter json, String name, long value) {
        json.raw(",\"" + name + "\":").number(value);
    }
}
