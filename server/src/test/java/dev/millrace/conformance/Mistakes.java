// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import dev.millrace.conformance.MistakenServer.Mistake;
import dev.millrace.conformance.MistakenServer.Query;
import dev.millrace.conformance.MistakenServer.Reply;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/// The mistakes that servers make, each with the cases that it fails.
final class Mistakes {
    private Mistakes() {}

    static Mistake answering(BiFunction<Query, Reply, Reply> change) {
        return new Mistake() {
            @Override
            public Reply answer(Query query, Reply good) {
                return change.apply(query, good);
            }
        };
    }

    /// Changes the text of good answers to inference requests.
    private static Mistake replacing(String pattern, String replacement) {
        return changing(pattern, match -> {
            String text = replacement;
            for (int i = 1; i <= match.groupCount(); i++) {
                text = text.replace("$" + i, match.group(i));
            }
            return text;
        });
    }

    private static Mistake changing(String pattern, java.util.function.Function<MatchResult, String> replacement) {
        Pattern compiled = Pattern.compile(pattern);
        return answering((query, good) -> query.isInference() && good.status() == 200
                ? good.with(text -> compiled.matcher(text)
                        .replaceAll(match -> java.util.regex.Matcher.quoteReplacement(replacement.apply(match))))
                : good);
    }

    /// Changes the text of answers to other requests.
    static Mistake describing(String path, UnaryOperator<String> change) {
        return answering((query, good) -> query.path().matches(path) ? good.with(change) : good);
    }

    static Mistake asking(UnaryOperator<Query> change) {
        return new Mistake() {
            @Override
            public Query query(Query query) {
                return change.apply(query);
            }
        };
    }

    static Mistake asking(String pattern, String replacement) {
        return asking(query -> query.isInference()
                ? query.withBody(query.text().replaceAll(pattern, replacement).getBytes(StandardCharsets.UTF_8))
                : query);
    }

    private static Arguments of(String name, Mistake mistake, String cases) {
        return Arguments.of(name, mistake, cases);
    }

    /// Each with a name and the cases that have to fail by it.
    static Stream<Arguments> all() {
        return Stream.of(
                        wrongAnswers(),
                        wrongOutputs(),
                        wrongIds(),
                        wrongRefusals(),
                        wrongValues(),
                        wrongTransport(),
                        wrongBytes(),
                        wrongTensors(),
                        wrongForms(),
                        wrongExtensions(),
                        wrongSettings())
                .flatMap(List::stream);
    }

    private static List<Arguments> wrongAnswers() {
        return List.of(
                of("no extensions", describing("/v2", text -> text.replace("extensions", "more")), "server.metadata"),
                of("no version", describing("/v2", text -> text.replace("version", "more")), "server.metadata"),
                of(
                        "not live",
                        answering((query, good) -> query.path().endsWith("live") ? good.withStatus(503) : good),
                        "server.health"),
                of(
                        "shapes as strings",
                        describing("/v2/models/\\w+", text -> text.replace("-1", "\"-1\"")),
                        "model.metadata"),
                of(
                        "a datatype of its own",
                        describing("/v2/models/\\w+", text -> text.replace("FP32", "float32")),
                        "model.metadata"),
                of(
                        "nothing variable",
                        describing("/v2/models/\\w+", text -> text.replace("-1", "1")),
                        "model.metadata"),
                of(
                        "no platform",
                        describing("/v2/models/\\w+", text -> text.replace("platform", "runtime")),
                        "model.metadata"),
                of(
                        "no versions in paths",
                        answering((query, good) ->
                                query.path().contains("/versions/") ? MistakenServer.error(501) : good),
                        "model.metadata-version"));
    }

    private static List<Arguments> wrongOutputs() {
        return List.of(
                of("another model's name", replacing("conformance_two", "two"), "infer.flat"),
                of(
                        "a version that is a number",
                        replacing("\"model_version\":\"1\"", "\"model_version\":1"),
                        "infer.flat"),
                of("another output's name", replacing("\"sum\"", "\"total\""), "infer.flat infer.all-outputs"),
                of("another shape", replacing("\"shape\":\\[2,2\\]", "\"shape\":[4]"), "infer.flat infer.nested"),
                of("elements left out", replacing("\"data\":\\[([^,\\]]*),", "\"data\":["), "infer.flat"),
                of("another datatype", replacing("INT64", "INT32"), "infer.flat"));
    }

    private static List<Arguments> wrongIds() {
        return List.of(
                of("no id", replacing(",\"id\":\"[^\"]*\"", ""), "infer.id"),
                of("its own id", replacing("\"id\":\"[^\"]*\"", "\"id\":\"1\""), "infer.id"),
                of(
                        "an id in Latin-1",
                        changing("\"id\":\"[^\"]*", match -> match.group().replaceAll("[^ -~]", "?")),
                        "infer.id"),
                of("an id unasked", replacing("\"outputs\":", "\"id\":\"7\",\"outputs\":"), "infer.no-id"),
                of(
                        "all outputs always",
                        asking("\"outputs\":\\[[^\\]]*\\],", ""),
                        "infer.some-outputs infer.unknown-output"),
                of(
                        "no empty list of outputs",
                        answering((query, good) ->
                                query.text().contains("\"outputs\":[]") ? MistakenServer.error(400) : good),
                        "infer.empty-outputs"),
                of(
                        "fails by keys that come twice",
                        answering((query, good) ->
                                query.text().contains("{\"id\":\"b\",\"inputs\":[]") ? good.withStatus(500) : good),
                        "json.keys-twice"),
                of(
                        "one output only",
                        asking("\"inputs\":", "\"outputs\":[{\"name\":\"sum\"}],\"inputs\":"),
                        "infer.all-outputs"),
                of(
                        "not flat",
                        answering((query, good) ->
                                query.isInference() && query.text().contains("[[") ? MistakenServer.error(400) : good),
                        "infer.nested"),
                of(
                        "a fixed order of keys",
                        answering((query, good) ->
                                query.isInference() && query.text().contains("\"inputs\":[{\"data\"")
                                        ? MistakenServer.error(400)
                                        : good),
                        "json.key-order"),
                of(
                        "no other keys",
                        answering((query, good) ->
                                query.text().contains("model_name") ? MistakenServer.error(400) : good),
                        "json.unknown-keys"),
                of(
                        "no white space",
                        answering((query, good) -> query.text().startsWith(" ") ? MistakenServer.error(400) : good),
                        "json.white-space"));
    }

    private static List<Arguments> wrongRefusals() {
        String refused = "model.unknown model.unknown-version infer.unknown-output infer.missing-input"
                + " infer.no-datatype infer.rank infer.fixed-dimension infer.count infer.negative-dimension"
                + " infer.fractional-dimension infer.overflowing-shape infer.ragged json.depth json.truncated"
                + " json.no-request infer.input-twice infer.unknown-input values.out-of-range http.after-error";
        return List.of(
                of(
                        "errors with status 200",
                        answering((query, good) -> good.status() >= 400 ? good.withStatus(200) : good),
                        refused + " model.ready server.unknown-path server.health-method http.method"),
                of(
                        "errors with status 500",
                        answering((query, good) -> good.status() >= 400 ? good.withStatus(500) : good),
                        refused),
                of(
                        "errors under another key",
                        answering((query, good) -> good.status() >= 400
                                ? good.with(text -> text.replace("\"error\"", "\"detail\""))
                                : good),
                        refused),
                of(
                        "errors as plain text",
                        answering((query, good) -> good.status() >= 400 ? good.with(_ -> "wrong") : good),
                        refused),
                of(
                        "unknown inputs passed over",
                        asking(",\\{\"name\":\"conformance_no_input\"[^}]*\\}", ""),
                        "infer.unknown-input"),
                of(
                        "outputs for no rows",
                        replacing("\"shape\":\\[0,2\\],\"data\":\\[\\]", "\"shape\":[1,2],\"data\":[0,0]"),
                        "infer.no-rows"),
                of(
                        "fails without rows",
                        answering((query, good) -> query.text().contains("[0, 2]") ? MistakenServer.error(500) : good),
                        "infer.no-rows"),
                of(
                        "rows over the batch cut off",
                        replacing("\"shape\":\\[5,4\\]", "\"shape\":[4,4]"),
                        "infer.over-batch"),
                of(
                        "another datatype taken as it is",
                        answering((query, good) -> query.text().contains("FP64")
                                ? new Reply(
                                        200,
                                        good.headers(),
                                        "{\"model_name\":\"conformance_two\",\"outputs\":[]}"
                                                .getBytes(StandardCharsets.UTF_8))
                                : good),
                        "infer.other-datatype"));
    }

    private static List<Arguments> wrongValues() {
        String number = "-?\\d+(?:\\.\\d+)?(?:E-?\\d+)?";
        return List.of(
                of(
                        "integers as doubles",
                        changing("-?\\d{16,}", match -> String.format("%.0f", Double.parseDouble(match.group()))),
                        "values.int64 values.uint64 infer.flat"),
                of(
                        "integers with a fraction",
                        replacing("(-?\\d{3,})([,\\]])", "$1.0$2"),
                        "values.int64 values.integers"),
                of(
                        "no sign for 64 bits",
                        changing("\\d{19,}", match -> Long.toString(Long.parseUnsignedLong(match.group()))),
                        "values.uint64"),
                of("wraps integers", asking("\\[256\\]", "[0]"), "values.out-of-range"),
                of(
                        "floats of six digits",
                        changing(
                                "(" + number + ")(?=[,\\]])",
                                match -> String.format(java.util.Locale.ROOT, "%.6g", Double.parseDouble(match.group()))
                                        .replaceAll("e\\+", "e")),
                        "values.fp32 values.fp64"),
                of("doubles as floats", changing("0\\.30000000000000004", _ -> "0.3"), "values.fp64"),
                of("zero without a sign", replacing("-0\\.0", "0.0"), "values.negative-zero"),
                of("denormals flushed", changing("-?\\d\\.\\dE-(?:45|40)", _ -> "0.0"), "values.denormal"),
                of("too large becomes the largest", asking("1e39", "3.4028235e38"), "values.fp32-too-large"),
                of("null for what is not finite", replacing("NaN", "null"), "values.not-finite"),
                of("BOOL as numbers", replacing("true", "1"), "values.bool"),
                of("strings without escapes", asking("\\\\u00e9", "e"), "values.bytes"),
                of("strings cut at control characters", replacing("a\\\\u0001b", "a"), "values.bytes"),
                of("halves of too few bits", replacing("0\\.09997\\d*", "0.1015625"), "values.fp16"),
                of("bytes that wrap", replacing("255", "-1"), "values.integers"));
    }

    private static List<Arguments> wrongTransport() {
        return List.of(
                of(
                        "no chunks",
                        answering((query, good) ->
                                query.headers().containsKey("Transfer-Encoding") ? MistakenServer.error(411) : good),
                        "http.chunked"),
                of(
                        "no compression that it says",
                        answering((query, good) -> query.headers().containsKey("Accept-Encoding")
                                ? good.withHeader("Content-Encoding", "gzip")
                                : good),
                        "http.accept-encoding"),
                of(
                        "headers by their case",
                        asking(query -> query.headers().keySet().contains("Content-Length")
                                        && query.headers().keySet().stream().noneMatch("Content-Length"::equals)
                                ? query.withBody(new byte[0])
                                : query),
                        "http.header-case"),
                of(
                        "paths as they are",
                        asking(query -> query.withPath(query.path().replace("%", "%25"))),
                        "http.encoded-path"),
                of(
                        "no compressed requests",
                        answering((query, good) ->
                                query.headers().containsKey("Content-Encoding") ? MistakenServer.error(415) : good),
                        "http.compressed-request"),
                of(
                        "GET for inference",
                        answering((query, good) ->
                                query.method().equals("GET") && query.isInference() ? good.withStatus(200) : good),
                        "http.method"));
    }

    private static List<Arguments> wrongBytes() {
        return List.of(
                of(
                        "a terabyte is nothing",
                        new Mistake() {
                            @Override
                            public int tooLarge() {
                                return 200;
                            }
                        },
                        "http.oversize"),
                of(
                        "whole requests only",
                        new Mistake() {
                            @Override
                            public boolean readsOnce() {
                                return true;
                            }
                        },
                        "http.split"),
                of(
                        "the last answer first",
                        new Mistake() {
                            @Override
                            public boolean reverses() {
                                return true;
                            }
                        },
                        "http.pipelined"),
                of(
                        "no continue",
                        new Mistake() {
                            @Override
                            public boolean goesOn() {
                                return false;
                            }
                        },
                        "http.expect-continue"));
    }

    /// Replaces text in requests by as long a one, so that lengths stay right.
    private static Mistake misreading(String text, String other) {
        return asking(query -> query.withBody(new String(query.body(), StandardCharsets.ISO_8859_1)
                .replace(text, other)
                .getBytes(StandardCharsets.ISO_8859_1)));
    }

    private static Mistake answeringBytes(UnaryOperator<Reply> change) {
        return answering((query, good) -> good.headers().containsKey(Answer.JSON_LENGTH) ? change.apply(good) : good);
    }

    private static Mistake saying(String text, int status) {
        return answering((query, good) -> query.text().contains(text) ? MistakenServer.error(status) : good);
    }

    private static List<Arguments> wrongTensors() {
        return List.of(
                of(
                        "a length that is no number",
                        answeringBytes(good -> good.withHeader(Answer.JSON_LENGTH, "abc")),
                        "binary.all binary.bytes binary.mixed binary.raw binary.lengths binary.empty"),
                of(
                        "a length that is too short",
                        answeringBytes(good -> good.withHeader(Answer.JSON_LENGTH, "9")),
                        "binary.all binary.lengths"),
                of(
                        "bytes left over",
                        answeringBytes(good -> good.with(text -> text + "x")),
                        "binary.all binary.lengths binary.raw"),
                of(
                        "the last byte is another",
                        answeringBytes(good -> good.with(text ->
                                text.substring(0, text.length() - 1) + (char) (text.charAt(text.length() - 1) ^ 1))),
                        "binary.all binary.bytes binary.raw binary.datatypes"),
                of(
                        "the type of JSON",
                        answeringBytes(good -> good.withHeader("Content-Type", "application/json")),
                        "binary.all binary.bytes binary.mixed"));
    }

    private static List<Arguments> wrongForms() {
        String refused = "binary.left-over binary.too-short binary.header binary.data-twice binary.wrong-size";
        return List.of(
                of(
                        "JSON where bytes were asked for",
                        misreading("\"binary_data\":true", "\"binary_dat_\":true"),
                        "binary.all binary.bytes binary.mixed binary.datatypes"),
                of(
                        "JSON by default",
                        misreading("\"binary_data_output\":true", "\"binary_data_outpu_\":true"),
                        "binary.output-default"),
                of(
                        "errors in bytes with status 200",
                        answering((query, good) -> good.status() >= 400 ? good.withStatus(200) : good),
                        refused + " binary.zero-byte"),
                of(
                        "errors in bytes with status 500",
                        answering((query, good) -> good.status() >= 400 ? good.withStatus(500) : good),
                        refused + " binary.zero-byte"),
                of("no tensors without elements", saying("\"shape\":[0,2]", 400), "binary.empty"),
                of(
                        "no compressed bytes",
                        answering((query, good) ->
                                query.headers().containsKey("Content-Encoding") ? MistakenServer.error(415) : good),
                        "binary.gzip"));
    }

    private static List<Arguments> wrongExtensions() {
        return List.of(
                of(
                        "no successes",
                        describing(".*/stats", text -> text.replace("\"success\":", "\"successes\":")),
                        "statistics.form statistics.counts"),
                of(
                        "rows that are not counted",
                        describing(
                                ".*/stats",
                                text -> text.replaceAll("\"inference_count\":\\d+", "\"inference_count\":0")),
                        "statistics.form statistics.counts"),
                of(
                        "statistics of nothing",
                        describing("/v2/models/stats", _ -> "{\"model_stats\":[]}"),
                        "statistics.all"),
                of(
                        "statistics of unknown models",
                        answering((query, good) -> query.path().endsWith("/stats") ? good.withStatus(200) : good),
                        "statistics.unknown"),
                of(
                        "no states",
                        describing("/v2/repository/index", text -> text.replace("READY", "READ")),
                        "repository.index repository.index-ready"));
    }

    private static List<Arguments> wrongSettings() {
        return List.of(
                of(
                        "no largest batch",
                        describing(".*/config", text -> text.replace("max_batch_size", "max_batch")),
                        "configuration.form"),
                of(
                        "types of the protocol",
                        describing(".*/config", text -> text.replace("TYPE_", "")),
                        "configuration.form"),
                of(
                        "one class too few",
                        misreading("\"classification\":2", "\"classification\":1"),
                        "classification.top classification.binary"),
                of("no time", saying("\"timeout\":60000000", 504), "schedule.timeout"),
                of("no parameters that it does not know", saying("conformance_c", 400), "parameters.unknown"),
                of(
                        "no trace levels",
                        describing("/v2/trace/setting", text -> text.replace("trace_level", "levels")),
                        "trace.settings"),
                of(
                        "no log_info",
                        describing("/v2/logging", text -> text.replace("log_info", "info")),
                        "logging.settings"));
    }
}
