// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/// Reads the bodies of management requests, JSON objects. No body at all is an empty object.
///
/// Every method throws a [ManagementException] that says what is wrong. Threads: any.
public final class ManagementRequests {
    /// A model's file comes under this and its path.
    public static final String FILE = "file:";

    /// A model's configuration comes under this.
    public static final String CONFIG = "config";

    /// Whether a model may take and give other tensors than before; our own.
    public static final String CONTRACT_CHANGE = "contract_change";

    /// A model and its external data are fewer.
    private static final int MAX_FILES = 64;

    private static final int MAX_SHOWN = 100;

    private ManagementRequests() {}

    /// Whether an index is asked for of models that are ready only.
    public static boolean readyOnly(byte[] body) {
        Object ready = members(body).get("ready");
        return ready != null && bool("ready", ready);
    }

    /// What came with a load.
    public static LoadParameters loadParameters(byte[] body) {
        Optional<String> config = Optional.empty();
        Map<String, byte[]> files = new LinkedHashMap<>();
        boolean contractChange = false;
        for (Map.Entry<String, Object> parameter : parameters(body).entrySet()) {
            String name = parameter.getKey();
            if (name.equals(CONTRACT_CHANGE)) {
                contractChange = bool(named(name), parameter.getValue());
                continue;
            }
            requireKnown(name);
            String text = text(named(name), parameter.getValue());
            if (name.equals(CONFIG)) {
                config = Optional.of(text);
            } else {
                files.put(name.substring(FILE.length()), decode(name, text));
            }
        }
        return loadParameters(config, files, contractChange);
    }

    /// What came with a load, if it belongs together.
    ///
    /// @param files by the names behind `file:`
    public static LoadParameters loadParameters(
            Optional<String> config, Map<String, byte[]> files, boolean contractChange) {
        if (!files.isEmpty() && config.isEmpty()) {
            throw ManagementException.invalid("files came without the parameter config, expected both");
        }
        if (files.size() > MAX_FILES) {
            throw ManagementException.invalid(files.size() + " files came with a load, expected at most " + MAX_FILES);
        }
        return new LoadParameters(config, files, contractChange);
    }

    /// Refuses a parameter of a load that means nothing.
    public static void requireKnown(String name) {
        if (!name.equals(CONFIG) && !name.equals(CONTRACT_CHANGE) && !name.startsWith(FILE)) {
            throw ManagementException.invalid(named(name) + " is not known, expected " + CONFIG + ", " + CONTRACT_CHANGE
                    + " or file:<version>/<path>");
        }
    }

    private static String named(String parameter) {
        return "parameter '" + (parameter.length() <= MAX_SHOWN ? parameter : parameter.substring(0, MAX_SHOWN) + "...")
                + "' of a load";
    }

    private static byte[] decode(String name, String text) {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw ManagementException.invalid(named(name) + " is no Base64: " + e.getMessage());
        }
    }

    /// The version that an alias is to be of.
    public static long aliasVersion(byte[] body) {
        Object version = members(body).get("version");
        return switch (version) {
            case Long number when number > 0 -> number;
            case String text when text.matches("[1-9][0-9]{0,17}") -> Long.parseLong(text);
            case null -> throw ManagementException.invalid("version is missing, expected a version of the model");
            default ->
                throw ManagementException.invalid(
                        "version is " + describe(version) + ", expected a version of the model");
        };
    }

    /// Whether an unload is also about the models that are only there for this one.
    public static boolean unloadDependents(byte[] body) {
        Object dependents = parameters(body).get("unload_dependents");
        return dependents != null && bool("unload_dependents", dependents);
    }

    /// What is to be logged.
    public static LogSettings.Change logChange(byte[] body) {
        Optional<Boolean> info = Optional.empty();
        Optional<Boolean> warning = Optional.empty();
        Optional<Boolean> error = Optional.empty();
        OptionalInt verbose = OptionalInt.empty();
        Optional<LogSettings.Format> format = Optional.empty();
        for (Map.Entry<String, Object> member : members(body).entrySet()) {
            Object value = member.getValue();
            switch (member.getKey()) {
                case "log_info" -> info = Optional.of(bool("log_info", value));
                case "log_warning" -> warning = Optional.of(bool("log_warning", value));
                case "log_error" -> error = Optional.of(bool("log_error", value));
                case "log_verbose_level" -> verbose = OptionalInt.of(level(value));
                case "log_format" -> format = Optional.of(LogSettings.Format.named(text("log_format", value)));
                case "log_file" -> LogSettings.refuseFile(text("log_file", value));
                default ->
                    throw ManagementException.invalid("'" + member.getKey()
                            + "' is no setting of the log, expected log_info, log_warning, log_error,"
                            + " log_verbose_level or log_format");
            }
        }
        return new LogSettings.Change(info, warning, error, verbose, format);
    }

    /// What is to be traced: texts by name, none for a setting that is taken back.
    public static Map<String, List<String>> traceChange(byte[] body) {
        Map<String, List<String>> change = new LinkedHashMap<>();
        all(body).forEach((name, value) -> change.put(name, texts(name, value)));
        return change;
    }

    private static List<String> texts(String name, Object value) {
        return switch (value) {
            case null -> List.of();
            case String text -> List.of(text);
            case Long number -> List.of(number.toString());
            case List<?> list
            when !list.isEmpty() ->
                list.stream().map(element -> text(name, element)).toList();
            default ->
                throw ManagementException.invalid(
                        name + " is " + describe(value) + ", expected a string, an array of strings or null");
        };
    }

    private static boolean bool(String name, Object value) {
        if (value instanceof Boolean bool) {
            return bool;
        }
        throw ManagementException.invalid(name + " is " + describe(value) + ", expected true or false");
    }

    private static String text(String name, Object value) {
        if (value instanceof String text) {
            return text;
        }
        throw ManagementException.invalid(name + " is " + describe(value) + ", expected a string");
    }

    private static int level(Object value) {
        if (value instanceof Long level && level >= 0 && level <= Integer.MAX_VALUE) {
            return level.intValue();
        }
        throw ManagementException.invalid("log_verbose_level is " + describe(value) + ", expected an integer from 0");
    }

    private static String describe(Object value) {
        return switch (value) {
            case String text -> "'" + (text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...") + "'";
            case null -> "null";
            case Map<?, ?> _ -> "an object";
            case List<?> _ -> "an array";
            default -> value.toString();
        };
    }

    private static Map<String, Object> parameters(byte[] body) {
        Object parameters = members(body).getOrDefault("parameters", Map.of());
        if (parameters instanceof Map<?, ?> map) {
            Map<String, Object> all = new LinkedHashMap<>();
            map.forEach((name, value) -> {
                if (value != null) {
                    all.put((String) name, value);
                }
            });
            return all;
        }
        throw ManagementException.invalid("parameters is " + describe(parameters) + ", expected an object");
    }

    /// The members of the object in `body` but those that are null.
    private static Map<String, Object> members(byte[] body) {
        Map<String, Object> members = new LinkedHashMap<>(all(body));
        members.values().removeIf(Objects::isNull);
        return members;
    }

    /// The members of the object in `body`.
    private static Map<String, Object> all(byte[] body) {
        if (new String(body, StandardCharsets.UTF_8).isBlank()) {
            return Map.of();
        }
        JsonReader json = new JsonReader();
        json.reset(Arrays.copyOf(body, body.length + JsonReader.PADDING), 0, body.length);
        try {
            if (json.token() != Token.OBJECT) {
                throw ManagementException.invalid("the body is " + json.describe() + ", expected an object");
            }
            Map<String, Object> members = object(json);
            if (json.token() != Token.END) {
                throw ManagementException.invalid("behind the object is " + json.describe() + ", expected nothing");
            }
            return members;
        } catch (JsonException e) {
            throw ManagementException.invalid("malformed JSON: " + e.getMessage());
        }
    }

    private static Map<String, Object> object(JsonReader json) {
        Map<String, Object> members = new LinkedHashMap<>();
        json.enterObject();
        while (json.nextMember()) {
            String name = json.text();
            members.put(name, value(json));
        }
        return members;
    }

    /// A text, an integer, a boolean, an object or an array; null for null; of all else its description, which is none
    /// of them.
    private static Object value(JsonReader json) {
        Token token = json.token();
        return switch (token) {
            case OBJECT -> object(json);
            case ARRAY -> array(json);
            case STRING -> {
                json.readText();
                yield json.text();
            }
            case TRUE, FALSE -> {
                json.readLiteral(token);
                yield token == Token.TRUE;
            }
            case NULL -> {
                json.readLiteral(token);
                yield null;
            }
            case NUMBER -> {
                json.readNumber();
                long integer = json.integer(Long.MIN_VALUE, Long.MAX_VALUE);
                yield json.isInteger() && json.isInRange() ? integer : new Other("a number that is no integer");
            }
            default -> {
                Other other = new Other(json.describe());
                json.skip();
                yield other;
            }
        };
    }

    private static List<Object> array(JsonReader json) {
        List<Object> elements = new ArrayList<>();
        json.enterArray();
        while (json.nextElement()) {
            elements.add(value(json));
        }
        return elements;
    }

    /// A value that nothing here expects.
    private record Other(String description) {
        @Override
        public String toString() {
            return description;
        }
    }
}
