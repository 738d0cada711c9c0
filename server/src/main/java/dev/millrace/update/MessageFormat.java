// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// What values of records are in. Threads: one.
interface MessageFormat {
    /// Before a value of Confluent's: a zero, and the number of a schema in four bytes.
    int HEADER_BYTES = 5;

    /// Reads a message.
    ///
    /// @param bytes from its position to its limit
    /// @throws MessageException if it is none
    Message decode(ByteBuffer bytes);

    /// Whether there can be a value by these names.
    ///
    /// @throws IllegalArgumentException if there cannot, with the names that there are
    void requireColumn(String column);

    /// That of a feed.
    ///
    /// @throws IOException if its schema cannot be read, or is none
    static MessageFormat of(FeedConfig.Format format) throws IOException {
        MessageFormat plain = switch (format.kind()) {
            case JSON -> new JsonFormat();
            case AVRO -> AvroFormat.read(file(format));
            case PROTOBUF -> ProtobufFormat.read(file(format), format.message().orElseThrow(), format.header());
        };
        return format.header() ? new Headed(plain) : plain;
    }

    private static Path file(FeedConfig.Format format) {
        return format.file().orElseThrow();
    }

    /// A message that was read.
    interface Message {
        /// A value in it: Long, Double, String, Boolean or [Moment]; null if there is none.
        ///
        /// @param column the names that lead there
        /// @throws MessageException if something else is there
        Object value(String[] column);
    }

    /// Passes over what Confluent's serializers write before a value. The number of the schema is not
    /// looked at: there is no registry here.
    record Headed(MessageFormat inner) implements MessageFormat {
        @Override
        public Message decode(ByteBuffer bytes) {
            if (bytes.remaining() < HEADER_BYTES || bytes.get(bytes.position()) != 0) {
                throw new MessageException("the value has " + bytes.remaining() + " bytes"
                        + (bytes.hasRemaining() ? " and begins with " + bytes.get(bytes.position()) : "")
                        + ", expected 0 and the number of a schema in 4 bytes");
            }
            bytes.position(bytes.position() + HEADER_BYTES);
            return inner.decode(bytes);
        }

        @Override
        public void requireColumn(String column) {
            inner.requireColumn(column);
        }
    }
}
