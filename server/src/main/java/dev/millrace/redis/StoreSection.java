// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import dev.millrace.feast.JoinKey;
import dev.millrace.feast.KeyVersion;
import dev.millrace.redis.RedisOptions.DeclaredView;
import dev.millrace.settings.Setting;
import dev.millrace.settings.Settings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Reads the section `feature_store` of the configuration file: where Redis is and how it is asked. What Feast's own
/// `feature_store.yaml` says need not be said again.
public final class StoreSection {
    private static final String FEAST = "feast";
    private static final String REDIS = "redis";
    private static final String PROJECT = "project";
    private static final String VERSION = "entity_key_serialization_version";
    private static final int MAX_VERSION = 100;

    private StoreSection() {}

    /// @throws dev.millrace.settings.SettingException if something of it is wrong, or of the file that it names
    public static RedisOptions read(Setting section) {
        Settings values = section.settings(
                REDIS,
                FEAST,
                PROJECT,
                VERSION,
                "timeout",
                "cache",
                "max_pending",
                "breaker_failures",
                "join_keys",
                "views");
        Optional<FeastConfiguration> feast = values.find(FEAST).map(StoreSection::feast);
        String connection = said(values, REDIS, feast.map(FeastConfiguration::connection));
        String project = said(values, PROJECT, feast.map(FeastConfiguration::project));
        RedisOptions options = RedisOptions.of(connection, project);
        try {
            ConnectionText.parse(connection);
        } catch (IllegalArgumentException e) {
            throw values.find(REDIS).orElse(section).problem(e.getMessage());
        }
        KeyVersion version = values.find(VERSION)
                .map(StoreSection::version)
                .or(() -> feast.map(FeastConfiguration::keys))
                .orElse(options.keys());
        options = options.withKeys(version)
                .withTimeout(values.find("timeout").map(Setting::duration).orElse(options.timeout()))
                .withBounds((int) whole(values, "max_pending", 1, options.maxPending()), (int)
                        whole(values, "breaker_failures", 0, options.breakerFailures()))
                .withJoinKeyTypes(
                        values.find("join_keys").map(StoreSection::types).orElse(Map.of()))
                .withViews(values.find("views").map(StoreSection::views).orElse(Map.of()));
        return values.find("cache")
                .map(StoreSection::cache)
                .orElse(UnaryOperator.identity())
                .apply(options);
    }

    private static String said(Settings values, String name, Optional<String> feast) {
        return values.find(name)
                .map(Setting::text)
                .or(() -> feast)
                .orElseGet(() -> values.need(name).text());
    }

    private static FeastConfiguration feast(Setting setting) {
        Path file = setting.path();
        try {
            return FeastConfiguration.read(file, System.getenv());
        } catch (IOException e) {
            throw setting.problem(file + " cannot be read: " + e);
        }
    }

    private static KeyVersion version(Setting setting) {
        try {
            return KeyVersion.of(setting.integer(0, MAX_VERSION));
        } catch (IllegalArgumentException e) {
            throw setting.problem(e.getMessage());
        }
    }

    private static long whole(Settings values, String name, long least, long otherwise) {
        return values.find(name)
                .map(setting -> setting.integer(least, Integer.MAX_VALUE))
                .orElse(otherwise);
    }

    private static UnaryOperator<RedisOptions> cache(Setting cache) {
        Settings values = cache.settings("age", "bytes");
        return options -> options.withCache(
                values.find("age").map(Setting::duration).orElse(Duration.ZERO),
                values.find("bytes")
                        .map(bytes -> bytes.integer(0, Long.MAX_VALUE / 2))
                        .orElse(options.cacheBytes()));
    }

    private static Map<String, JoinKey.Type> types(Setting setting) {
        Map<String, JoinKey.Type> types = new HashMap<>();
        setting.entries()
                .forEach((name, type) -> types.put(
                        name,
                        switch (type.word(List.of("string", "int32", "int64", "unix_timestamp"))) {
                            case "string" -> JoinKey.Type.STRING;
                            case "int32" -> JoinKey.Type.INT32;
                            case "int64" -> JoinKey.Type.INT64;
                            default -> JoinKey.Type.UNIX_TIMESTAMP;
                        }));
        return types;
    }

    private static Map<String, DeclaredView> views(Setting setting) {
        Map<String, DeclaredView> views = new HashMap<>();
        setting.entries().forEach((name, view) -> {
            Settings values = view.settings("join_keys", "ttl");
            views.put(
                    name,
                    new DeclaredView(
                            values.find("join_keys")
                                    .map(keys -> keys.items().stream()
                                            .map(Setting::text)
                                            .toList())
                                    .orElse(List.of()),
                            values.find("ttl").map(Setting::duration).orElse(null)));
        });
        return views;
    }
}
