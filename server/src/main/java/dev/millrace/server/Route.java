// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.protocol.Refusal;
import java.io.ByteArrayOutputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/// What a request's path asks for.
///
/// @param target the kind of thing
/// @param model the model's name, or null
/// @param version the version, or an alias, as the path gives it, or null
record Route(Target target, String model, String version) {
    /// The kinds of things that there are.
    enum Target {
        SERVER,
        LIVE,
        READY,
        METRICS,
        MODEL,
        MODEL_READY,
        MODEL_VERSIONS,
        MODEL_CONFIG,
        MODEL_STATISTICS,
        STATISTICS,
        INDEX,
        LOAD,
        UNLOAD,
        ROLLBACK,
        /// Of a model, by its name in place of a version.
        ALIAS,
        ALIAS_REMOVAL,
        LOG,
        LOG_CHANGE,
        TRACE,
        TRACE_CHANGE,
        SHARED_MEMORY,
        GENERATE,
        INFER,
        /// TensorFlow Serving's and KServe's V1.
        PREDICT,
        PREDICT_STATUS,
        PREDICT_METADATA,
        /// Feast's: stored features by themselves.
        ONLINE_FEATURES,
        /// Feast's: rows for the feature store.
        PUSH,
        /// SageMaker's, of the only model.
        INVOKE,
        PING;

        /// Whether a model is run for it.
        boolean isInference() {
            return this == INFER || this == PREDICT || this == INVOKE;
        }

        /// Whether it is about the server and not about a model.
        boolean isAboutServer() {
            return this == SERVER || this == LIVE || this == READY || this == METRICS || this == PING;
        }

        /// Whether only who has admin access may ask for it: it changes models, or what they read.
        boolean needsAdmin() {
            return switch (this) {
                case LOAD, UNLOAD, ROLLBACK, ALIAS, ALIAS_REMOVAL, PUSH -> true;
                default -> false;
            };
        }

        /// The methods that it answers, as the Allow header lists them.
        String allowed() {
            return switch (this) {
                case INFER,
                        PREDICT,
                        INVOKE,
                        ONLINE_FEATURES,
                        PUSH,
                        INDEX,
                        LOAD,
                        UNLOAD,
                        ROLLBACK,
                        LOG_CHANGE,
                        TRACE_CHANGE,
                        GENERATE -> "POST";
                case ALIAS, ALIAS_REMOVAL -> "POST, DELETE";
                case LOG, TRACE, SHARED_MEMORY -> "GET, HEAD, POST";
                default -> "GET, HEAD";
            };
        }

        boolean allows(String method) {
            return List.of(allowed().split(", ")).contains(method);
        }
    }

    private static final Route SERVER = new Route(Target.SERVER, null, null);
    private static final Route PING = new Route(Target.PING, null, null);
    private static final Route INVOKE = new Route(Target.INVOKE, null, null);
    private static final Route ONLINE_FEATURES = new Route(Target.ONLINE_FEATURES, null, null);
    private static final Route PUSH = new Route(Target.PUSH, null, null);
    private static final Route LIVE = new Route(Target.LIVE, null, null);
    private static final Route READY = new Route(Target.READY, null, null);
    private static final Route METRICS = new Route(Target.METRICS, null, null);
    private static final Route STATISTICS = new Route(Target.STATISTICS, null, null);
    private static final Route INDEX = new Route(Target.INDEX, null, null);
    private static final Route LOG = new Route(Target.LOG, null, null);
    private static final Route LOG_CHANGE = new Route(Target.LOG_CHANGE, null, null);
    private static final Route TRACE = new Route(Target.TRACE, null, null);
    private static final Route SHARED_MEMORY = new Route(Target.SHARED_MEMORY, null, null);
    private static final String MODELS = "/v2/models/";
    private static final String V1_MODELS = "/v1/models/";
    private static final String PREDICT = ":predict";
    private static final String METADATA = "/metadata";
    private static final String REPOSITORY_MODELS = "/v2/repository/models/";
    private static final Pattern SHARED =
            Pattern.compile("/v2/(system|cuda)sharedmemory(/region/[^/]+)?/(status|register|unregister)");
    private static final String VERSIONS = "versions/";
    private static final String ALIASES = "/aliases/";

    /// Finds the route of a request target; null if there is none.
    ///
    /// @throws Refusal if a name in it is not properly percent-encoded
    static Route of(String uri) {
        String path = path(uri);
        if (path.startsWith(MODELS) && !path.equals("/v2/models/stats")) {
            return ofModel(path);
        }
        if (path.startsWith(V1_MODELS)) {
            return ofV1(path);
        }
        if (path.startsWith(REPOSITORY_MODELS)) {
            return ofRepository(path);
        }
        return switch (path) {
            case "/v2" -> SERVER;
            case "/ping" -> PING;
            case "/invocations" -> INVOKE;
            case "/get-online-features" -> ONLINE_FEATURES;
            case "/push" -> PUSH;
            case "/v2/health/live" -> LIVE;
            case "/v2/health/ready" -> READY;
            case "/metrics" -> METRICS;
            case "/v2/models/stats" -> STATISTICS;
            case "/v2/repository/index" -> INDEX;
            case "/v2/logging" -> LOG;
            case "/v2/trace/setting" -> TRACE;
            default -> SHARED.matcher(path).matches() ? SHARED_MEMORY : null;
        };
    }

    /// What is asked for by a method that is allowed.
    Route by(String method) {
        if (target == Target.ALIAS && method.equals("DELETE")) {
            return new Route(Target.ALIAS_REMOVAL, model, version);
        }
        if (!method.equals("POST")) {
            return this;
        }
        return switch (target) {
            case LOG -> LOG_CHANGE;
            case TRACE -> new Route(Target.TRACE_CHANGE, model, null);
            default -> this;
        };
    }

    /// `/v1/models/M`, `/v1/models/M/versions/V`, and both followed by `:predict` or `/metadata`.
    private static Route ofV1(String path) {
        Target target = Target.PREDICT_STATUS;
        int end = path.length();
        if (path.endsWith(PREDICT)) {
            target = Target.PREDICT;
            end -= PREDICT.length();
        } else if (path.endsWith(METADATA)) {
            target = Target.PREDICT_METADATA;
            end -= METADATA.length();
        }
        Route model = end < V1_MODELS.length() ? null : ofModel(MODELS + path.substring(V1_MODELS.length(), end));
        return model == null || model.target() != Target.MODEL
                ? null
                : new Route(target, model.model(), model.version());
    }

    private static Route ofRepository(String path) {
        int nameEnd = segmentEnd(path, REPOSITORY_MODELS.length());
        String model = decode(path.substring(REPOSITORY_MODELS.length(), nameEnd));
        String rest = path.substring(nameEnd);
        if (model.isEmpty()) {
            return null;
        }
        if (rest.startsWith(ALIASES)) {
            String alias = rest.substring(ALIASES.length());
            return alias.isEmpty() || alias.indexOf('/') >= 0 ? null : new Route(Target.ALIAS, model, decode(alias));
        }
        return switch (rest) {
            case "/load" -> new Route(Target.LOAD, model, null);
            case "/unload" -> new Route(Target.UNLOAD, model, null);
            case "/rollback" -> new Route(Target.ROLLBACK, model, null);
            default -> null;
        };
    }

    /// The path without scheme, authority, query and fragment.
    private static String path(String uri) {
        int end = uri.length();
        for (int i = 0; i < end; i++) {
            if (uri.charAt(i) == '?' || uri.charAt(i) == '#') {
                end = i;
            }
        }
        int start = 0;
        if (uri.regionMatches(true, 0, "http://", 0, 7) || uri.regionMatches(true, 0, "https://", 0, 8)) {
            start = uri.indexOf('/', uri.indexOf("//") + 2);
            if (start < 0 || start > end) {
                return "/";
            }
        }
        return uri.substring(start, end);
    }

    private static Route ofModel(String path) {
        int nameEnd = segmentEnd(path, MODELS.length());
        String model = decode(path.substring(MODELS.length(), nameEnd));
        int at = Math.min(path.length(), nameEnd + 1);
        String version = null;
        if (path.startsWith(VERSIONS, at)) {
            int versionEnd = segmentEnd(path, at + VERSIONS.length());
            version = decode(path.substring(at + VERSIONS.length(), versionEnd));
            nameEnd = versionEnd;
            at = Math.min(path.length(), versionEnd + 1);
        }
        if (model.isEmpty() || (version != null && version.isEmpty())) {
            return null;
        }
        if (nameEnd == path.length()) {
            return new Route(Target.MODEL, model, version);
        }
        return switch (path.substring(at)) {
            case "infer" -> new Route(Target.INFER, model, version);
            case "ready" -> new Route(Target.MODEL_READY, model, version);
            case "versions" -> version != null ? null : new Route(Target.MODEL_VERSIONS, model, null);
            case "config" -> new Route(Target.MODEL_CONFIG, model, version);
            case "stats" -> new Route(Target.MODEL_STATISTICS, model, version);
            // Settings are a model's, not a version's.
            case "trace/setting" -> version == null ? new Route(Target.TRACE, model, null) : null;
            case "generate", "generate_stream" -> new Route(Target.GENERATE, model, version);
            default -> null;
        };
    }

    private static int segmentEnd(String path, int start) {
        int slash = path.indexOf('/', start);
        return slash < 0 ? path.length() : slash;
    }

    private static String decode(String segment) {
        if (segment.indexOf('%') < 0) {
            return segment;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(segment.length());
        for (int i = 0; i < segment.length(); i++) {
            char character = segment.charAt(i);
            if (character == '%') {
                bytes.write(hex(segment, i + 1) << 4 | hex(segment, i + 2));
                i += 2;
            } else {
                bytes.writeBytes(String.valueOf(character).getBytes(StandardCharsets.UTF_8));
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(java.nio.ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException _) {
            throw Refusal.invalid("'" + segment + "' in the path is not UTF-8 when percent-decoded");
        }
    }

    private static int hex(String segment, int index) {
        int digit = index < segment.length() ? Character.digit(segment.charAt(index), 16) : -1;
        if (digit < 0) {
            throw Refusal.invalid("'" + segment + "' in the path is not properly percent-encoded");
        }
        return digit;
    }
}
