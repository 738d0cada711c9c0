// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.io.IOException;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/// Keeps records that are no rows, with the reason. Threads: one.
interface DeadLetters extends AutoCloseable {
    /// A record, and why it is no row.
    record Letter(ConsumerRecord<byte[], byte[]> record, String reason) {}

    /// Keeps some, and returns when they are durable. After an exception they are given again, so
    /// that some may be there twice.
    void add(List<Letter> letters) throws IOException;

    @Override
    void close();
}
