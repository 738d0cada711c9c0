// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import dev.millrace.json.JsonWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes traces to files of one folder, each an array of JSON that is whole whenever somebody looks. What a file of
/// that name had before is overwritten; one that this wrote goes on.
///
/// Threads: one at a time.
final class TraceFiles {
    private static final Logger LOG = LoggerFactory.getLogger(TraceFiles.class);
    private static final byte[] END = "\n]\n".getBytes(StandardCharsets.US_ASCII);
    /// What is gathered before it is written.
    private static final int PIECE_BYTES = 1 << 20;

    private final Path folder;
    private final long maxBytes;
    private final int maxFiles;
    private final Map<String, Target> targets = new LinkedHashMap<>();
    private long bytes;
    private int files;
    private long numbers;
    private long written;
    private long lost;
    private boolean complained;

    /// A file that is written.
    private static final class Target {
        private final Path path;
        private final int index;
        private final JsonWriter pending = new JsonWriter();
        private long traces;
        private long pendingTraces;
        /// Where the next trace goes, over the array's end; 0 before the first.
        private long position;

        Target(Path path, int index) {
            this.path = path;
            this.index = index;
        }
    }

    /// @param maxBytes the most that is written in all
    /// @param maxFiles the most files
    TraceFiles(Path folder, long maxBytes, int maxFiles) {
        this.folder = folder;
        this.maxBytes = maxBytes;
        this.maxFiles = maxFiles;
    }

    /// Adds a trace to its file; [#flush()] writes it.
    void add(Trace trace) {
        Target target = target(trace.settings());
        if (target == null || bytes >= maxBytes) {
            lost++;
            complain("there are " + files + " files of traces with " + bytes + " bytes, no more are written");
            return;
        }
        int before = target.pending.length();
        target.pending.raw(target.traces == 0 ? "[\n" : ",\n");
        trace.write(target.pending, ++numbers);
        target.traces++;
        target.pendingTraces++;
        bytes += target.pending.length() - before;
        if (target.pending.length() > PIECE_BYTES) {
            write(target);
        }
    }

    /// The file that the next trace goes to; null if that would be one too many.
    private Target target(TraceSettings settings) {
        boolean indexed = settings.logFrequency() > 0;
        String key = indexed ? settings.file() + "." : settings.file();
        Target target = targets.get(key);
        if (target != null && (!indexed || target.traces < settings.logFrequency())) {
            return target;
        }
        if (files == maxFiles) {
            return null;
        }
        int index = 0;
        if (target != null) {
            write(target);
            index = target.index + 1;
        }
        files++;
        Target next = new Target(folder.resolve(indexed ? key + index : key), index);
        targets.put(key, next);
        return next;
    }

    /// Writes what was added.
    void flush() {
        targets.values().forEach(this::write);
    }

    private void write(Target target) {
        if (target.pendingTraces == 0) {
            return;
        }
        byte[] text =
                target.pending.raw(new String(END, StandardCharsets.US_ASCII)).toBytes();
        StandardOpenOption how = target.position == 0 ? StandardOpenOption.TRUNCATE_EXISTING : StandardOpenOption.WRITE;
        try (FileChannel file =
                FileChannel.open(target.path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, how)) {
            ByteBuffer rest = ByteBuffer.wrap(text);
            for (long at = target.position; rest.hasRemaining(); ) {
                at += file.write(rest, at);
            }
            target.position += text.length - END.length;
            written += target.pendingTraces;
        } catch (IOException e) {
            lost += target.pendingTraces;
            target.traces -= target.pendingTraces;
            complain("cannot write traces to " + target.path + ": " + e);
        }
        target.pendingTraces = 0;
        target.pending.reset();
    }

    /// Once is enough: [#lost()] tells how many.
    private void complain(String why) {
        if (!complained) {
            complained = true;
            LOG.warn("{}", why);
        }
    }

    /// How many traces are in files.
    long written() {
        return written;
    }

    /// How many could not be written.
    long lost() {
        return lost;
    }
}
