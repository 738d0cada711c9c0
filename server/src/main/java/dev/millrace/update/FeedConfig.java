// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// From where a view is kept up to date, and how records become its rows. Threads: immutable, any.
///
/// @param view its name
/// @param source where records come from
/// @param format what is in their values
/// @param columns the names that lead to a value in a message, with points in between, by the
///     view's field or key; those that are not there lead to a value of the same name
/// @param eventTime where the event time is; without it, it is the record's timestamp
/// @param availabilityTime where the availability time is; without it, it is when the record was
///     consumed
/// @param deadLetters where records go that are no rows
/// @param tombstones how the key of a record without a value is read, whose row is deleted then;
///     without it such a record is a dead letter
public record FeedConfig(
        String view,
        Source source,
        Format format,
        Map<String, String> columns,
        Optional<Time> eventTime,
        Optional<Time> availabilityTime,
        Letters deadLetters,
        Optional<KeyForm> tombstones) {
    /// Where records come from.
    ///
    /// @param servers as `bootstrap.servers` has them
    /// @param properties of Kafka's consumer, those that are not its defaults
    public record Source(String servers, String topic, String group, Map<String, String> properties) {
        /// The properties cannot change.
        public Source {
            properties = Map.copyOf(properties);
        }

        /// Without the properties, which may hold passwords.
        @Override
        public String toString() {
            return "topic '" + topic + "' at " + servers;
        }
    }

    /// What values of records are in.
    public enum Kind {
        JSON,
        AVRO,
        PROTOBUF
    }

    /// What values of records are.
    ///
    /// @param file the schema of Avro, or the set of descriptors of Protocol Buffers
    /// @param message the full name of a message of Protocol Buffers
    /// @param header whether values begin with a schema's number, as Confluent's serializers write
    public record Format(Kind kind, Optional<Path> file, Optional<String> message, boolean header) {}

    /// Where in a message a time is.
    ///
    /// @param column the names that lead there
    /// @param unit what it counts if it is a number
    public record Time(String column, EpochUnit unit) {}

    /// Where dead letters go: a topic of the same brokers or, if there is none, a file.
    public record Letters(Optional<String> topic, Optional<Path> file) {
        /// Checks that it is one of them.
        public Letters {
            if (topic.isPresent() == file.isPresent()) {
                throw new IllegalArgumentException("dead letters go to " + topic + " and " + file + ", expected one");
            }
        }

        @Override
        public String toString() {
            return topic.map(name -> "topic '" + name + "'").orElseGet(() -> "file " + file.orElseThrow());
        }
    }

    /// What the key of a record is.
    public enum KeyForm {
        /// UTF-8; of a view with integer keys, digits.
        TEXT,
        /// A big-endian integer of 64 bits, as Kafka's own serializer writes them.
        BINARY
    }

    /// The columns cannot change.
    public FeedConfig {
        columns = Map.copyOf(columns);
    }

    /// It in words.
    String shown() {
        return "view '" + view + "' from " + source;
    }
}
