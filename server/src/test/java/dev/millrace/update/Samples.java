// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.store.ViewSchema;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// Feeds for tests.
final class Samples {
    private static final FeedConfig.Format JSON =
            new FeedConfig.Format(FeedConfig.Kind.JSON, Optional.empty(), Optional.empty(), false);
    private static final FeedConfig.Letters LETTERS =
            new FeedConfig.Letters(Optional.empty(), Optional.of(Path.of("dead.jsonl")));

    private Samples() {}

    static FeedConfig.Source source(String servers, String topic) {
        return new FeedConfig.Source(servers, topic, "group", Map.of());
    }

    /// One in JSON.
    ///
    /// @param event null for the record's timestamp
    /// @param known null for the time of consuming
    static FeedConfig config(String view, Map<String, String> columns, FeedConfig.Time event, FeedConfig.Time known) {
        return new FeedConfig(
                view,
                source("localhost:1", "t"),
                JSON,
                columns,
                Optional.ofNullable(event),
                Optional.ofNullable(known),
                LETTERS,
                Optional.empty());
    }

    /// One in JSON from some brokers, with the event time from `at`, and with tombstones.
    static FeedConfig config(String view, FeedConfig.Source source, FeedConfig.Letters letters) {
        return new FeedConfig(
                view,
                source,
                JSON,
                Map.of(),
                Optional.of(new FeedConfig.Time("at", EpochUnit.MICROS)),
                Optional.of(new FeedConfig.Time("at", EpochUnit.MICROS)),
                letters,
                Optional.of(FeedConfig.KeyForm.TEXT));
    }

    static RowReader tombstones(ViewSchema schema, FeedConfig.KeyForm form) throws IOException {
        FeedConfig config = new FeedConfig(
                schema.name(),
                source("localhost:1", "t"),
                JSON,
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                LETTERS,
                Optional.of(form));
        return RowReader.of(schema, config, () -> Instant.EPOCH);
    }
}
