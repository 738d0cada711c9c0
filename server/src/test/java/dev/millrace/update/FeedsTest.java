// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.FeatureStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.ViewSchema;
import dev.millrace.update.FeedConfig.Format;
import dev.millrace.update.FeedConfig.Kind;
import dev.millrace.update.FeedConfig.Letters;
import dev.millrace.update.FeedConfig.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a server is refused to start with, and feeds that nobody starts or that reach nobody.
class FeedsTest {
    private static final Format JSON = new Format(Kind.JSON, Optional.empty(), Optional.empty(), false);

    @TempDir
    Path temp;

    private EmbeddedStore store;

    @BeforeEach
    void open() throws IOException {
        store = EmbeddedStore.open(
                temp.resolve("store"),
                StoreOptions.DEFAULT,
                ViewSchema.parse("view v\nkey id string(8)\nfield x float64\n"));
    }

    @AfterEach
    void close() throws IOException {
        store.close();
    }

    private Letters file() {
        return new Letters(Optional.empty(), Optional.of(temp.resolve("dead.jsonl")));
    }

    private static FeedConfig config(String view, Format format, Map<String, String> properties, Letters letters) {
        return new FeedConfig(
                view,
                new Source("127.0.0.1:1", "t", "g", properties),
                format,
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                letters,
                Optional.empty());
    }

    private static void assertRefused(FeedConfig config, FeatureStore store, String... problem) {
        assertThatThrownBy(() -> Feeds.prepare(List.of(config), Optional.ofNullable(store), InstantSource.system()))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("updates of view '" + config.view() + "' from topic 't' at 127.0.0.1:1: ")
                .hasMessageContainingAll(problem);
    }

    @Test
    void shouldRefuseWhatCannotWork() throws IOException {
        assertRefused(config("v", JSON, Map.of(), file()), null, "no feature store", "--feature-store");
        assertRefused(config("w", JSON, Map.of(), file()), store, "there is no view 'w', but [v]");
        assertRefused(
                config("v", JSON, Map.of("max.poll.records", "many"), file()), store, "kafka: ", "max.poll.records");
        Path schema = Files.writeString(
                temp.resolve("s.avsc"),
                "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"}]}");
        Format avro = new Format(Kind.AVRO, Optional.of(schema), Optional.empty(), false);
        assertRefused(
                config("v", avro, Map.of(), file()), store, "no 'x'", "R has no 'x', but [id]", "'columns' says where");
        Path none = temp.resolve("none/file");
        Format protobuf = new Format(Kind.PROTOBUF, Optional.of(none), Optional.of("M"), false);
        assertRefused(config("v", protobuf, Map.of(), file()), store, "cannot be opened: ", "NoSuchFile", "none");
        assertRefused(
                config("v", JSON, Map.of(), new Letters(Optional.empty(), Optional.of(none))),
                store,
                "cannot be opened: ",
                "NoSuchFile");
    }

    @Test
    void shouldEndWhenNobodyStartedThem() throws IOException {
        Feeds feeds =
                Feeds.prepare(List.of(config("v", JSON, Map.of(), file())), Optional.of(store), InstantSource.system());
        assertThat(feeds.statistics())
                .singleElement()
                .satisfies(feed -> assertThat(feed.up()).isFalse());

        feeds.close();

        assertThat(feeds.statistics().getFirst().rows()).isZero();
    }

    @Test
    void shouldEndWhenNoBrokerIsThere() throws Exception {
        Feeds feeds =
                Feeds.prepare(List.of(config("v", JSON, Map.of(), file())), Optional.of(store), InstantSource.system());
        feeds.start();
        feeds.close();

        FeedStatistics feed = feeds.statistics().getFirst();
        assertThat(feed.up()).isFalse();
        assertThat(feed.lag()).isEmpty();
        assertThat(Thread.getAllStackTraces().keySet())
                .extracting(Thread::getName)
                .doesNotContain("millrace-update-v");
    }
}
