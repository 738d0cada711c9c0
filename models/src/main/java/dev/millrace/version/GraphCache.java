// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.OrtRuntime;
import dev.millrace.ort.PartialFiles;
import dev.millrace.ort.ProtoCursor;
import dev.millrace.ort.SessionSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps optimised graphs in a folder, so that they need not be optimised again at the next start.
///
/// An entry is a graph, `KEY.onnx`, and what it has to be, `KEY.sum`. The key is made of the model's content, ONNX
/// Runtime's version, the options that change graphs, and the processor, for which they are laid out; paths are no part
/// of it. An entry that is not what it has to be is made anew. Whatever is wrong with the folder costs a warning, not
/// the load. The entries that were not used for the longest time go when there is no more room.
///
/// It is for models of many operators; others are optimised faster than they are read
/// (`docs/adr/0014-optimised-graphs-of-large-models-are-kept.md` has the numbers).
///
/// Threads: any; other processes may use the same folder.
public final class GraphCache {
    private static final Logger LOG = LoggerFactory.getLogger(GraphCache.class);

    /// Room for the graphs of some large models.
    public static final long DEFAULT_BYTES = 4L << 30;

    /// With fewer, optimising takes no time.
    static final int MIN_NODES = 100;

    /// Half of what a protocol buffer can hold: the optimised graph may be larger than the model.
    private static final long MAX_MODEL_BYTES = 1L << 30;

    /// Where a model has its graph, and a graph its nodes.
    private static final int GRAPH_FIELD = 7;

    private static final int NODE_FIELD = 1;

    private static final String GRAPH = ".onnx";
    private static final String SUM = ".sum";
    private static final String FORMAT = "millrace-graph 1";
    private static final Path CPU = Path.of("/proc/cpuinfo");

    private final Path folder;
    private final long maxBytes;
    private final AtomicLong hits = new AtomicLong();
    private final AtomicLong builds = new AtomicLong();

    /// A cache in a folder, which is made when it is needed. What processes left there that were killed is removed.
    ///
    /// @param maxBytes what the graphs may take together
    public GraphCache(Path folder, long maxBytes) {
        this.folder = folder;
        this.maxBytes = maxBytes;
        PartialFiles.removeAbandoned(folder);
    }

    /// Opens a model by its optimised graph, which is made if there is none, or by its file, where a graph would not
    /// help.
    ///
    /// @param sha256 the model's [ModelDigest]
    /// @throws OrtFailure as [OnnxSession#open(Path, SessionSettings)]
    public OnnxSession open(Path file, String sha256, SessionSettings settings) {
        if (settings.optimization() == SessionSettings.Optimization.NONE || !isWorthwhile(file)) {
            return OnnxSession.open(file, settings);
        }
        String key = key(sha256, settings);
        Optional<OnnxSession> kept = kept(key, settings);
        return kept.isPresent() ? kept.get() : build(file, key, settings);
    }

    /// How many sessions were opened by an entry.
    public long hits() {
        return hits.get();
    }

    /// How many entries were made.
    public long builds() {
        return builds.get();
    }

    private static boolean isWorthwhile(Path file) {
        try {
            return Files.size(file) <= MAX_MODEL_BYTES
                    && nodes(file) >= MIN_NODES
                    && ExternalData.of(file).isEmpty();
        } catch (IOException e) {
            return false;
        }
    }

    /// How many nodes the graph has, those in its branches and loops not counted.
    private static int nodes(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            long bytes = channel.size();
            ProtoCursor cursor = new ProtoCursor(channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena));
            int nodes = 0;
            for (long length = next(cursor, bytes, GRAPH_FIELD);
                    length >= 0;
                    length = next(cursor, bytes, GRAPH_FIELD)) {
                long end = cursor.position() + length;
                for (long node = next(cursor, end, NODE_FIELD); node >= 0; node = next(cursor, end, NODE_FIELD)) {
                    nodes++;
                    cursor.position(cursor.position() + node);
                }
            }
            return nodes;
        } catch (IndexOutOfBoundsException | InternalError e) {
            return 0;
        }
    }

    /// Goes to the next field of this number; its length, or -1 at the end.
    private static long next(ProtoCursor cursor, long end, int field) {
        while (cursor.position() < end) {
            long tag = cursor.varint();
            if ((tag & 7) != ProtoCursor.BYTES) {
                cursor.skip((int) tag & 7);
                continue;
            }
            long length = cursor.length(end);
            if (tag >>> 3 == field) {
                return length;
            }
            cursor.position(cursor.position() + length);
        }
        return -1;
    }

    static String key(String sha256, SessionSettings settings) {
        String all = String.join(
                "\n",
                FORMAT,
                sha256,
                OrtRuntime.version(),
                settings.optimization().name(),
                new TreeMap<>(settings.entries()).toString(),
                System.getProperty("os.name"),
                System.getProperty("os.arch"),
                processor());
        return ModelDigest.sha256(all);
    }

    /// What the processor can do, where the system tells.
    static String processor() {
        try (Stream<String> lines = Files.lines(CPU)) {
            return lines.filter(line -> line.matches("(flags|Features)\\s*:.*"))
                    .findFirst()
                    .orElse("");
        } catch (IOException | UncheckedIOException e) {
            return "";
        }
    }

    private Optional<OnnxSession> kept(String key, SessionSettings settings) {
        Path graph = folder.resolve(key + GRAPH);
        try {
            if (!Files.exists(folder.resolve(key + SUM))) {
                return Optional.empty();
            }
            if (!Files.isRegularFile(graph) || !sum(key, graph).equals(Files.readString(folder.resolve(key + SUM)))) {
                LOG.warn("the optimised graph {} is not what it was, it is made anew", graph);
                return Optional.empty();
            }
            OnnxSession session = OnnxSession.open(graph, settings.withOptimization(SessionSettings.Optimization.NONE));
            hits.incrementAndGet();
            touch(graph);
            return Optional.of(session);
        } catch (IOException | OrtFailure e) {
            LOG.warn("the optimised graph {} cannot be used, it is made anew: {}", graph, e.toString());
            return Optional.empty();
        }
    }

    private static void touch(Path graph) {
        try {
            Files.setLastModifiedTime(graph, FileTime.from(Instant.now()));
        } catch (IOException e) {
            LOG.debug("{} looks as if it was not used", graph, e);
        }
    }

    private OnnxSession build(Path file, String key, SessionSettings settings) {
        Path partial = null;
        try {
            Files.createDirectories(folder);
            partial = PartialFiles.create(folder, key);
            OnnxSession session = OnnxSession.openAndSave(file, settings, partial);
            publish(key, partial);
            return session;
        } catch (IOException | OrtFailure e) {
            // Whatever is wrong with the model shows when it is opened without the cache.
            OnnxSession session = OnnxSession.open(file, settings);
            LOG.warn("the optimised graph of {} cannot be kept in {}: {}", file, folder, e.toString());
            return session;
        } finally {
            PartialFiles.delete(partial);
        }
    }

    private void publish(String key, Path partial) {
        try {
            if (Files.size(partial) > maxBytes) {
                LOG.debug("an optimised graph of {} bytes is not kept", Files.size(partial));
                return;
            }
            String sum = sum(key, partial);
            Path sumPartial = PartialFiles.create(folder, key);
            try {
                Files.writeString(sumPartial, sum);
                Files.move(partial, folder.resolve(key + GRAPH), StandardCopyOption.ATOMIC_MOVE);
                Files.move(sumPartial, folder.resolve(key + SUM), StandardCopyOption.ATOMIC_MOVE);
            } finally {
                PartialFiles.delete(sumPartial);
            }
            builds.incrementAndGet();
            makeRoom();
        } catch (IOException e) {
            LOG.warn("an optimised graph cannot be kept in {}: {}", folder, e.toString());
        }
    }

    /// What an entry's graph has to be.
    private static String sum(String key, Path graph) throws IOException {
        CRC32C crc = new CRC32C();
        byte[] buffer = new byte[1 << 18];
        long bytes = 0;
        try (InputStream in = Files.newInputStream(graph)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                crc.update(buffer, 0, count);
                bytes += count;
            }
        }
        return String.join("\n", FORMAT, key, Long.toString(bytes), Long.toHexString(crc.getValue()), "");
    }

    /// Deletes the entries longest unused until the others fit.
    private void makeRoom() throws IOException {
        record Entry(Path graph, long bytes, long used) {}
        List<Entry> entries = new ArrayList<>();
        long now = System.currentTimeMillis();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path path : files.toList()) {
                long used = Files.exists(path) ? Files.getLastModifiedTime(path).toMillis() : now;
                if (path.toString().endsWith(GRAPH) && Files.exists(path)) {
                    entries.add(new Entry(path, Files.size(path), used));
                }
            }
        }
        entries.sort(Comparator.comparingLong(Entry::used));
        long total = entries.stream().mapToLong(Entry::bytes).sum();
        for (Entry entry : entries) {
            if (total <= maxBytes) {
                return;
            }
            String name = entry.graph().getFileName().toString();
            delete(folder.resolve(name.substring(0, name.length() - GRAPH.length()) + SUM));
            delete(entry.graph());
            total -= entry.bytes();
        }
    }

    private static void delete(Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            LOG.debug("{} stays", file, e);
        }
    }
}
