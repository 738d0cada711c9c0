// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.protocol.Refusal;
import java.io.ByteArrayOutputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// What a request's path asks for.
///
/// @param target the kind of thing
/// @param model the model's name, or null
/// @param version the version as the path gives it, or null
record Route(Target target, String model, String version) {
    /// The kinds of things that there are.
    enum Target {
        SERVER,
        LIVE,
        READY,
        METRICS,
        MODEL,
        MODEL_READY,
        INFER;

        /// Whether it is about the server and not about a model.
        boolean isAboutServer() {
            return this == SERVER || this == LIVE || this == READY || this == METRICS;
        }

        /// The methods that it answers, as the Allow header lists them.
        String allowed() {
            return this == INFER ? "POST" : "GET, HEAD";
        }

        boolean allows(String method) {
            return this == INFER ? method.equals("POST") : method.equals("GET") || method.equals("HEAD");
        }
    }

    private static final Route SERVER = new Route(Target.SERVER, null, null);
    private static final Route LIVE = new Route(Target.LIVE, null, null);
    private static final Route READY = new Route(Target.READY, null, null);
    private static final Route METRICS = new Route(Target.METRICS, null, null);
    private static final String MODELS = "/v2/models/";
    private static final String VERSIONS = "versions/";

    /// Finds the route of a request target; null if there is none.
    ///
    /// @throws Refusal if a name in it is not properly percent-encoded
    static Route of(String uri) {
        String path = path(uri);
        if (path.startsWith(MODELS)) {
            return ofModel(path);
        }
        return switch (path) {
            case "/v2" -> SERVER;
            case "/v2/health/live" -> LIVE;
            case "/v2/health/ready" -> READY;
            case "/metrics" -> METRICS;
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
        if (uri.startsWith("http://") || uri.startsWith("https://")) {
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
