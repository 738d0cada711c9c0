// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

/// Which files are the store: snapshots of views, and the generation of the first log that is to be
/// replayed on them. It is replaced as a whole. Threads: immutable, any.
///
/// @param generation of the oldest log that is needed
/// @param sequence the number of the last record before that log
/// @param views in the order of their numbers
record Manifest(long generation, long sequence, List<Entry> views) {
    private static final String TITLE = "millrace-store 1";

    /// A view.
    ///
    /// @param rows the name of its snapshot; empty if it has none
    /// @param capacity how many entities it has room for without a snapshot
    record Entry(ViewSchema schema, String rows, long capacity) {}

    /// Reads the manifest of a store.
    ///
    /// @throws java.nio.file.NoSuchFileException if there is none
    /// @throws CorruptStoreException if it is damaged
    static Manifest read(StoreFiles files) throws IOException {
        Path file = files.manifest();
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        int end = text.lastIndexOf("crc ");
        if (end < 0 || !text.substring(end).strip().equals(checksum(text.substring(0, end)))) {
            throw new CorruptStoreException(file, "its checksum is not that of its content");
        }
        List<String> lines = text.substring(0, end).lines().toList();
        if (!lines.getFirst().equals(TITLE)) {
            throw new CorruptStoreException(
                    file, "it begins with '" + lines.getFirst() + "', expected '" + TITLE + "': another version's?");
        }
        long generation = Long.parseLong(lines.get(1).substring("generation ".length()));
        long sequence = Long.parseLong(lines.get(2).substring("sequence ".length()));
        List<Entry> views = new ArrayList<>();
        int at = 3;
        while (at < lines.size()) {
            String[] words = lines.get(at).split(" ");
            int from = ++at;
            while (at < lines.size() && !lines.get(at).startsWith("rows ")) {
                at++;
            }
            ViewSchema schema = ViewSchema.parse(String.join("\n", lines.subList(from, at)));
            views.add(new Entry(schema, words[1].equals("-") ? "" : words[1], Long.parseLong(words[2])));
        }
        return new Manifest(generation, sequence, views);
    }

    /// Writes it in place of the one there is. When it returns it is on the disk.
    void write(StoreFiles files) throws IOException {
        StringBuilder text = new StringBuilder(TITLE).append("\ngeneration ").append(generation);
        text.append("\nsequence ").append(sequence).append('\n');
        for (Entry view : views) {
            text.append("rows ").append(view.rows().isEmpty() ? "-" : view.rows());
            text.append(' ').append(view.capacity()).append('\n');
            text.append(view.schema().text());
        }
        byte[] bytes = (text + checksum(text.toString()) + "\n").getBytes(StandardCharsets.ISO_8859_1);
        Path unfinished = files.unfinishedManifest();
        try (FileChannel channel = FileChannel.open(
                unfinished,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
            StoreFiles.writeFully(channel, ByteBuffer.wrap(bytes), 0);
            channel.force(true);
        }
        Files.move(unfinished, files.manifest(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        files.force();
    }

    /// The names of the snapshots that it needs.
    Set<String> rows() {
        return views.stream().map(Entry::rows).collect(Collectors.toSet());
    }

    private static String checksum(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
        return "crc " + Long.toHexString(crc.getValue());
    }
}
