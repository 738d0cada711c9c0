// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.ort.ProtoCursor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.TreeSet;

/// Finds the files that a model file says its tensors are in. Threads: one per walk.
final class ExternalData {
    /// The messages of an ONNX file on the way to tensors, with the fields that lead from one to the next.
    private enum Level {
        MODEL,
        FUNCTION,
        GRAPH,
        NODE,
        ATTRIBUTE,
        SPARSE,
        TENSOR,
        ENTRY,
        NONE;

        Level child(int field) {
            return switch (this) {
                case MODEL -> field == 7 ? GRAPH : field == 25 ? FUNCTION : NONE;
                case FUNCTION -> field == 7 ? NODE : NONE;
                case GRAPH -> field == 1 ? NODE : field == 5 ? TENSOR : field == 15 ? SPARSE : NONE;
                case NODE -> field == 5 ? ATTRIBUTE : NONE;
                case ATTRIBUTE ->
                    switch (field) {
                        case 5, 10 -> TENSOR;
                        case 6, 11 -> GRAPH;
                        case 22, 23 -> SPARSE;
                        default -> NONE;
                    };
                case SPARSE -> field == 1 || field == 2 ? TENSOR : NONE;
                case TENSOR -> field == 13 ? ENTRY : NONE;
                case ENTRY, NONE -> NONE;
            };
        }
    }

    private final ProtoCursor cursor;
    private final Set<String> locations = new TreeSet<>();
    private int depth;

    private ExternalData(MemorySegment file) {
        this.cursor = new ProtoCursor(file);
    }

    /// The files, relative to the model's folder, in order and each once. What is no model names none: whoever loads it
    /// will say what is wrong with it.
    ///
    /// @throws IOException if the file cannot be read
    static Set<String> of(Path model) throws IOException {
        try (FileChannel channel = FileChannel.open(model, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            long bytes = channel.size();
            ExternalData walk = new ExternalData(channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena));
            walk.message(Level.MODEL, bytes);
            return walk.locations;
        } catch (IndexOutOfBoundsException _) {
            return Set.of();
        } catch (InternalError e) {
            throw new IOException(model + " changed while it was read", e);
        }
    }

    private void message(Level level, long end) {
        if (depth == ProtoCursor.MAX_DEPTH) {
            throw new IndexOutOfBoundsException("nested too deep");
        }
        depth++;
        String key = "";
        String value = "";
        while (cursor.position() < end) {
            long tag = cursor.varint();
            int field = (int) (tag >>> 3);
            if ((tag & 7) != ProtoCursor.BYTES) {
                cursor.skip((int) tag & 7);
                continue;
            }
            long length = cursor.length(end);
            long start = cursor.position();
            if (level == Level.ENTRY && field == 1) {
                key = cursor.text(start, length);
            } else if (level == Level.ENTRY && field == 2) {
                value = cursor.text(start, length);
            } else if (level.child(field) != Level.NONE) {
                message(level.child(field), start + length);
            }
            cursor.position(start + length);
        }
        if (key.equals("location")) {
            locations.add(value);
        }
        depth--;
    }
}
