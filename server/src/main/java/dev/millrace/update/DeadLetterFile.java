// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import dev.millrace.json.JsonWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Base64;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/// Keeps dead letters in a file, one line of JSON each. Threads: one. Ownership: it holds the file
/// open until it is closed.
final class DeadLetterFile implements DeadLetters {
    private final FileChannel file;
    private final String view;
    private final JsonWriter json = new JsonWriter();

    private DeadLetterFile(FileChannel file, String view) {
        this.file = file;
        this.view = view;
    }

    /// Goes on with a file, or begins it.
    static DeadLetterFile open(Path path, String view) throws IOException {
        FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            endLine(file);
            return new DeadLetterFile(file, view);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /// A crash may have left a part of a line.
    private static void endLine(FileChannel file) throws IOException {
        long size = file.size();
        file.position(size);
        ByteBuffer last = ByteBuffer.allocate(1);
        if (size > 0 && file.read(last, size - 1) == 1 && last.get(0) != '\n') {
            file.write(ByteBuffer.wrap(new byte[] {'\n'}));
        }
    }

    @Override
    public void add(List<Letter> letters) throws IOException {
        json.reset();
        letters.forEach(this::write);
        long before = file.position();
        try {
            ByteBuffer bytes = ByteBuffer.wrap(json.array(), 0, json.length());
            while (bytes.hasRemaining()) {
                file.write(bytes);
            }
            file.force(false);
        } catch (IOException e) {
            file.truncate(before);
            throw e;
        }
    }

    private void write(Letter letter) {
        ConsumerRecord<byte[], byte[]> record = letter.record();
        json.raw("{\"view\":").string(view);
        json.raw(",\"topic\":").string(record.topic());
        json.raw(",\"partition\":").number((long) record.partition());
        json.raw(",\"offset\":").number(record.offset());
        json.raw(",\"timestamp\":").number(record.timestamp());
        json.raw(",\"reason\":").string(letter.reason());
        write(",\"key\":", record.key());
        write(",\"value\":", record.value());
        json.raw("}\n");
    }

    private void write(String name, byte[] bytes) {
        json.raw(name);
        if (bytes == null) {
            json.raw("null");
        } else {
            json.raw('"').raw(Base64.getEncoder().encode(bytes)).raw('"');
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException _) {
            // All that is in it was forced.
        }
    }
}
