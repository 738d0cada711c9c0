// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.feast.JoinKey;
import dev.millrace.feast.KeyVersion;
import dev.millrace.settings.Setting;
import dev.millrace.yaml.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The section `feature_store` of the configuration file, and Feast's own file.
class StoreSectionTest {
    @TempDir
    Path folder;

    private RedisOptions read(String text) {
        return StoreSection.read(new Setting(folder.resolve("millrace.yaml"), "feature_store", Yaml.parse(text)));
    }

    @Test
    void shouldReadWhatItSays() {
        RedisOptions options = read("""
            redis: cache-1:6380,db=2,ssl=true,password=secret
            project: payments
            entity_key_serialization_version: 2
            timeout: 5ms
            cache: {age: 1s, bytes: 1000}
            max_pending: 100
            breaker_failures: 0
            join_keys: {driver_id: int32}
            views: {drivers: {join_keys: [driver_id, city], ttl: 2h}}
            """);
        assertThat(options)
                .isEqualTo(new RedisOptions(
                        "cache-1:6380,db=2,ssl=true,password=secret",
                        "payments",
                        KeyVersion.V2,
                        Map.of("driver_id", JoinKey.Type.INT32),
                        Map.of(
                                "drivers",
                                new RedisOptions.DeclaredView(List.of("driver_id", "city"), Duration.ofHours(2))),
                        Duration.ofMillis(5),
                        Duration.ofSeconds(1),
                        1000,
                        100,
                        0));
    }

    @Test
    void shouldReadFeastsFile() throws IOException {
        Files.writeString(folder.resolve("feature_store.yaml"), """
            project: feature_repo
            registry: data/registry.db
            provider: local
            online_store:
              type: redis
              connection_string: "localhost:6379,db=1"
            offline_store:
              type: file
            entity_key_serialization_version: 3
            """);
        assertThat(read("feast: feature_store.yaml")).isEqualTo(RedisOptions.of("localhost:6379,db=1", "feature_repo"));
        assertThat(read("{feast: feature_store.yaml, project: other}").project())
                .isEqualTo("other");
    }

    @Test
    void shouldTakeVariablesOfFeastsFileFromTheEnvironment() throws IOException {
        Path file = folder.resolve("feature_store.yaml");
        Files.writeString(
                file, "project: p\nonline_store: {type: redis, connection_string: '${REDIS_HOST}:6379,db=$DB'}\n");
        assertThat(FeastConfiguration.read(file, Map.of("REDIS_HOST", "r1", "DB", "3"))
                        .connection())
                .isEqualTo("r1:6379,db=3");
    }

    @Test
    void shouldRefuseWhatIsWrong() throws IOException {
        assertThatThrownBy(() -> read("project: p"))
                .hasMessageContaining("feature_store: came without 'redis', expected it");
        assertThatThrownBy(() -> read("redis: localhost")).hasMessageContaining("came without 'project', expected it");
        assertThatThrownBy(() -> read("redis: 'a:1,b:2'\nproject: p"))
                .hasMessageContaining("millrace.yaml:1:8: feature_store.redis: connection_string has 'b:2'");
        assertThatThrownBy(() -> read("redis: a\nproject: p\ntimeout: 5"))
                .hasMessageContaining("'5' came, expected a length of time such as 500us, 20ms");
        assertThatThrownBy(() -> read("redis: a\nproject: p\ncluster: true"))
                .hasMessageContaining("feature_store.cluster: no such name");
        assertThatThrownBy(() -> read("redis: a\nproject: p\njoin_keys: {x: float64}"))
                .hasMessageContaining("expected one of [string, int32, int64, unix_timestamp]");
        assertThatThrownBy(() -> read("feast: missing.yaml")).hasMessageContaining("cannot be read");
        Files.writeString(folder.resolve("other.yaml"), "project: p\nonline_store: {type: dynamodb}\n");
        assertThatThrownBy(() -> read("feast: other.yaml"))
                .hasMessageContaining("other.yaml:2:22: online_store.type: 'dynamodb' came, expected one of [redis]");
    }
}
