// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import dev.millrace.feast.KeyVersion;
import dev.millrace.settings.Setting;
import dev.millrace.settings.SettingException;
import dev.millrace.yaml.Yaml;
import dev.millrace.yaml.YamlException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What Feast's `feature_store.yaml` says about its online store. Other names in it are passed over, as Feast's other
/// parts read them; `${NAME}` and `$NAME` are taken from the environment.
///
/// @param project whose rows these are
/// @param connection where Redis is
/// @param keys how entities are written as keys
record FeastConfiguration(String project, String connection, KeyVersion keys) {
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{(\\w+)}|(\\w+))");
    private static final String DEFAULT_CONNECTION = "localhost:6379";
    private static final List<String> REDIS = List.of("redis");
    private static final int NEWEST = 3;

    /// @throws SettingException if its online store is none that is read, or something of it is wrong
    static FeastConfiguration read(Path file, Map<String, String> environment) throws IOException {
        Setting whole;
        try {
            whole = new Setting(file, "", Yaml.parse(withVariables(Files.readString(file), environment)));
        } catch (YamlException e) {
            throw new SettingException(file, e.line(), e.column(), e.problem());
        }
        Map<String, Setting> values = whole.entries();
        Setting store = need(whole, values, "online_store");
        Map<String, Setting> online = store.entries();
        need(store, online, "type").word(REDIS);
        if (online.containsKey("redis_type")) {
            online.get("redis_type").word(REDIS);
        }
        Setting version = values.get("entity_key_serialization_version");
        return new FeastConfiguration(
                need(whole, values, "project").text(),
                online.containsKey("connection_string")
                        ? online.get("connection_string").text()
                        : DEFAULT_CONNECTION,
                KeyVersion.of(version == null ? NEWEST : version.integer(2, NEWEST)));
    }

    private static Setting need(Setting whole, Map<String, Setting> values, String name) {
        if (!values.containsKey(name)) {
            throw whole.problem("came without '" + name + "', expected it");
        }
        return values.get(name);
    }

    private static String withVariables(String text, Map<String, String> environment) {
        return VARIABLE.matcher(text)
                .replaceAll(found -> Matcher.quoteReplacement(environment.getOrDefault(
                        found.group(1) == null ? found.group(2) : found.group(1), found.group())));
    }
}
