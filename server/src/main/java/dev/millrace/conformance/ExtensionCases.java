// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// What extensions other than binary tensors promise. Stateless.
final class ExtensionCases {
    private static final String STATISTICS = "statistics";
    private static final String REPOSITORY = "model_repository";
    private static final String CONFIGURATION = "model_configuration";
    private static final String CLASSIFICATION = "classification";
    private static final String UNKNOWN = "conformance_no_such_model";
    private static final Set<String> STATES = Set.of("READY", "LOADING", "UNLOADING", "UNAVAILABLE");

    private ExtensionCases() {}

    static List<Case> all() {
        List<Case> all = new ArrayList<>(statistics());
        all.addAll(models());
        all.addAll(requests());
        return all;
    }

    private static List<Case> statistics() {
        return List.of(
                Case.extension(
                        77,
                        "statistics.form",
                        STATISTICS,
                        "a model's statistics with counts and times of every kind",
                        ExtensionCases::statisticsForm),
                Case.extension(
                        78,
                        "statistics.counts",
                        STATISTICS,
                        "requests, rows and executions add up after three requests of six rows",
                        ExtensionCases::counts),
                Case.extension(
                        79,
                        "statistics.all",
                        STATISTICS,
                        "GET /v2/models/stats has every model once for each version",
                        ExtensionCases::allStatistics),
                Case.extension(
                        80,
                        "statistics.unknown",
                        STATISTICS,
                        "of an unknown model: 400 or 404 with an error",
                        session ->
                                session.get("/v2/models/" + UNKNOWN + "/stats").refused(400, 404)));
    }

    private static List<Case> models() {
        return List.of(
                Case.extension(
                        81,
                        "repository.index",
                        REPOSITORY,
                        "the index, with and without a body, has the model as READY",
                        ExtensionCases::index),
                Case.extension(
                        82,
                        "repository.index-ready",
                        REPOSITORY,
                        "by ready: true only models that are READY",
                        ExtensionCases::readyIndex),
                Case.extension(
                        83,
                        "configuration.form",
                        CONFIGURATION,
                        "name, max_batch_size, and inputs and outputs with TYPE_ names and dims without the batch",
                        ExtensionCases::configuration));
    }

    private static List<Case> requests() {
        return List.of(
                Case.extension(
                        84,
                        "classification.top",
                        CLASSIFICATION,
                        "the n highest values of each row, descending, as value:index:label",
                        session -> classes(session, false)),
                Case.extension(
                        85,
                        "classification.binary",
                        CLASSIFICATION,
                        "the same as bytes",
                        session -> classes(session, true)),
                Case.extension(
                        86,
                        "schedule.timeout",
                        "schedule_policy",
                        "a timeout of a minute, in microseconds, and the default priority, 0: answered",
                        session -> InferCases.answered(
                                session,
                                InferCases.request(session)
                                        .with("parameters", "{\"timeout\":60000000,\"priority\":0}"))),
                Case.extension(
                        87,
                        "parameters.unknown",
                        "parameters",
                        "parameters that nobody knows, of every kind: answered",
                        ExtensionCases::parameters),
                Case.extension(
                        88,
                        "trace.settings",
                        "trace",
                        "GET /v2/trace/setting: an object with trace_level, an array of strings",
                        ExtensionCases::trace),
                Case.extension(
                        89,
                        "logging.settings",
                        "logging",
                        "GET /v2/logging: an object with log_info and log_verbose_level",
                        ExtensionCases::logging));
    }

    private static Json statisticsOf(Session session, String model) throws IOException {
        Json all = session.get(Session.modelPath(model) + "/stats").ok().json();
        List<Json> found = all.get("model_stats").elements();
        if (found.isEmpty()) {
            throw Unmet.because("model_stats is empty");
        }
        Json last = found.getLast();
        if (!last.get("name").text().equals(model)) {
            throw Unmet.because("the statistics are of " + last.get("name"));
        }
        return last;
    }

    private static long count(Json statistics, String kind) {
        Json duration = statistics.get("inference_stats").get(kind);
        if (duration.get("ns").number() < 0) {
            throw Unmet.because(kind + " took " + duration.get("ns") + " ns");
        }
        return duration.get("count").number();
    }

    private static String statisticsForm(Session session) throws IOException {
        Subject subject = InferCases.subject(session);
        InferCases.answered(session, subject.request());
        Json statistics = statisticsOf(session, subject.name());
        statistics.get("version").text();
        statistics.get("last_inference").number();
        for (String kind : List.of("success", "fail", "queue", "compute_input", "compute_infer", "compute_output")) {
            if (count(statistics, kind) < 0) {
                throw Unmet.because(kind + " is below 0");
            }
        }
        if (count(statistics, "success") == 0) {
            throw Unmet.because("success is 0 after an answer");
        }
        return checkBatches(statistics);
    }

    /// All rows that were run are in some batch.
    private static String checkBatches(Json statistics) {
        long inferences = statistics.get("inference_count").number();
        long executions = statistics.get("execution_count").number();
        if (executions > inferences) {
            throw Unmet.because("execution_count " + executions + " is above inference_count " + inferences);
        }
        if (!statistics.has("batch_stats")) {
            return "there are no batch_stats";
        }
        long rows = 0;
        long runs = 0;
        for (Json batch : statistics.get("batch_stats").elements()) {
            long count = batch.get("compute_infer").get("count").number();
            rows += batch.get("batch_size").number() * count;
            runs += count;
        }
        if (rows != inferences || runs != executions) {
            throw Unmet.because("batch_stats have " + rows + " rows in " + runs + " runs, inference_count is "
                    + inferences + " and execution_count " + executions);
        }
        return null;
    }

    private static String counts(Session session) throws IOException {
        session.target().requireModel(session, Models.BATCHED);
        Json before = statisticsOf(session, Models.BATCHED);
        for (int rows = 1; rows <= 3; rows++) {
            WireTensor x = WireTensor.floats("x", List.of((long) rows, 4L), new double[4 * rows]);
            session.infer(Models.BATCHED, InferRequest.of(x)).ok();
        }
        Json after = statisticsOf(session, Models.BATCHED);
        requireMore("inference_stats.success.count", count(after, "success") - count(before, "success"), 3, 3);
        requireMore("inference_stats.fail.count", count(after, "fail") - count(before, "fail"), 0, 0);
        requireMore("inference_count", difference(before, after, "inference_count"), 6, 6);
        // Rows of one request may be run apart, but no row twice.
        requireMore("execution_count", difference(before, after, "execution_count"), 1, 6);
        return checkBatches(after);
    }

    private static long difference(Json before, Json after, String name) {
        return after.get(name).number() - before.get(name).number();
    }

    private static void requireMore(String name, long more, long least, long most) {
        if (more < least || more > most) {
            throw Unmet.because(
                    name + " grew by " + more + ", expected " + (least == most ? least : least + " to " + most));
        }
    }

    private static String allStatistics(Session session) throws IOException {
        String model = InferCases.subject(session).name();
        Set<String> seen = new HashSet<>();
        Set<String> names = new HashSet<>();
        for (Json one :
                session.get("/v2/models/stats").ok().json().get("model_stats").elements()) {
            names.add(one.get("name").text());
            if (!seen.add(one.get("name").text() + ":" + one.get("version").text())) {
                throw Unmet.because("model " + one.get("name") + " is there twice");
            }
        }
        if (!names.contains(model)) {
            throw Unmet.because("model '" + model + "' is not there");
        }
        return null;
    }

    private static List<Json> index(Session session, String body) throws IOException {
        List<Json> entries =
                session.post("/v2/repository/index", body).ok().json().elements();
        for (Json entry : entries) {
            entry.get("name").text();
            if (entry.has("state") && !STATES.contains(entry.get("state").text())) {
                throw Unmet.because("the state of " + entry.get("name") + " is " + entry.get("state"));
            }
        }
        return entries;
    }

    private static boolean isReady(Json entry) {
        return entry.has("state") && entry.get("state").text().equals("READY");
    }

    private static String index(Session session) throws IOException {
        String model = InferCases.subject(session).name();
        for (String body : List.of("", "{}")) {
            boolean found = index(session, body).stream()
                    .anyMatch(entry -> entry.get("name").text().equals(model) && isReady(entry));
            if (!found) {
                throw Unmet.because("model '" + model + "' is not there as READY");
            }
        }
        return null;
    }

    private static String readyIndex(Session session) throws IOException {
        List<Json> ready = index(session, "{\"ready\":true}");
        if (ready.isEmpty() || !ready.stream().allMatch(ExtensionCases::isReady)) {
            throw Unmet.because("expected models that are READY and no others");
        }
        return null;
    }

    private static String configuration(Session session) throws IOException {
        String model = InferCases.subject(session).name();
        requireConfiguration(session, model);
        if (session.get(Session.modelPath(Models.BATCHED)).status() != 200) {
            return null;
        }
        Json json = requireConfiguration(session, Models.BATCHED);
        Json input = json.get("input").elements().getFirst();
        if (json.get("max_batch_size").number() != Models.MAX_BATCH
                || !input.get("data_type").text().equals("TYPE_FP32")
                || !dims(input).equals(List.of(4L))) {
            throw Unmet.because("expected max_batch_size " + Models.MAX_BATCH + " and an input TYPE_FP32 [4]");
        }
        return null;
    }

    private static Json requireConfiguration(Session session, String model) throws IOException {
        Json json = session.get(Session.modelPath(model) + "/config").ok().json();
        if (!json.get("name").text().equals(model)) {
            throw Unmet.because("the configuration is of " + json.get("name"));
        }
        json.get("max_batch_size").number();
        for (String kind : List.of("input", "output")) {
            for (Json port : json.get(kind).elements()) {
                port.get("name").text();
                dims(port);
                if (!port.get("data_type").text().startsWith("TYPE_")) {
                    throw Unmet.because("data_type is " + port.get("data_type"));
                }
            }
        }
        return json;
    }

    /// Protobuf's JSON may have integers of 64 bits as strings.
    private static List<Long> dims(Json port) {
        return port.get("dims").elements().stream()
                .map(size -> size.value() instanceof String ? Long.valueOf(size.text()) : Long.valueOf(size.number()))
                .toList();
    }

    private static String classes(Session session, boolean binary) throws IOException {
        session.target().requireModel(session, Models.CLASSES);
        if (binary && !session.target().lists("binary_tensor_data")) {
            throw Unmet.skipped("the server does not list the extension binary_tensor_data");
        }
        WireTensor x = WireTensor.floats("x", List.of(2L, 4L), 0.125, 0.5, 0.25, 0, -3, -2, -1, -4);
        String outputs = "[{\"name\":\"scores\",\"parameters\":{\"classification\":2,\"binary_data\":" + binary + "}}]";
        Answer answer = session.infer(Models.CLASSES, InferRequest.of(x).with("outputs", outputs));
        if (Answer.isBinary(answer.response().get("outputs").elements().getFirst()) != binary) {
            throw Unmet.because("the output came as " + (binary ? "JSON" : "bytes"));
        }
        WireTensor scores = answer.output("scores");
        if (scores.datatype() != Datatype.BYTES || !scores.shape().equals(List.of(2L, 2L))) {
            throw Unmet.because("expected BYTES [2, 2], came " + scores.datatype() + " " + scores.shape());
        }
        List<String> expected = List.of("0.5:1:bee", "0.25:2:cat", "-1.0:2:cat", "-2.0:1:bee");
        for (int i = 0; i < expected.size(); i++) {
            if (!normal((String) scores.elements().get(i)).equals(expected.get(i))) {
                throw Unmet.because("class " + i + " is " + scores.elements().get(i) + ", expected " + expected.get(i));
            }
        }
        return null;
    }

    /// With the value as Java prints it.
    private static String normal(String text) {
        String[] parts = text.split(":", 2);
        try {
            return Float.parseFloat(parts[0]) + ":" + parts[parts.length - 1];
        } catch (NumberFormatException _) {
            return text;
        }
    }

    private static String parameters(Session session) throws IOException {
        InferRequest request = InferCases.request(session)
                .with("parameters", "{\"conformance_a\":\"b\",\"conformance_c\":3,\"conformance_d\":true}");
        return InferCases.answered(session, request);
    }

    private static String trace(Session session) throws IOException {
        session.get("/v2/trace/setting").ok().json().get("trace_level").texts();
        return null;
    }

    private static String logging(Session session) throws IOException {
        Json json = session.get("/v2/logging").ok().json();
        json.get("log_info").bool();
        json.get("log_verbose_level").number();
        return null;
    }
}
