// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.ort.ProtoCursor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/// How much memory a model file will take, told from the file without loading it. All in bytes.
///
/// The file is walked through as a protocol buffer; what is passed over is not read. Threads: immutable, any.
///
/// @param fileBytes the model file
/// @param weightBytes the elements of all constant tensors, in the file, beside it, and filled in when it is loaded
/// @param nodeBytes of these, the elements of constants that are nodes of the graph
/// @param largestBytes of these, the largest tensor
public record ModelSize(long fileBytes, long weightBytes, long nodeBytes, long largestBytes) {
    /// What is no weights, such as the nodes of trees, becomes objects; measured on 500 trees, where it is 13.
    private static final int OBJECTS_FACTOR = 16;
    /// How often constants that are nodes are there beyond once, while the graph is optimised; measured are 2 to 3.
    private static final int NODE_COPIES = 3;
    /// What a session takes besides, whatever the model.
    private static final long SESSION_BYTES = 4L << 20;

    /// Reads the sizes of `model`.
    ///
    /// @throws IOException if the file cannot be read; one that is no model has no weights
    public static ModelSize of(Path model) throws IOException {
        long bytes = Files.size(model);
        try (FileChannel channel = FileChannel.open(model, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            Walk walk = new Walk(channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena));
            try {
                walk.message(Level.MODEL, 0, bytes);
            } catch (IndexOutOfBoundsException | ArithmeticException _) {
                // ONNX Runtime will say what is wrong with it.
                return new ModelSize(bytes, 0, 0, 0);
            }
            return walk.size(bytes);
        }
    }

    /// What loading takes at its peak: the weights, while they are brought into the form that kernels want one of them
    /// a second time, constants that are nodes more often, and objects for the rest.
    public long peakBytes() {
        return weightBytes + largestBytes + NODE_COPIES * nodeBytes + OBJECTS_FACTOR * restBytes() + SESSION_BYTES;
    }

    /// What the peak is made up of, for messages.
    public String describe() {
        return "weights " + weightBytes + ", the largest a second time " + largestBytes + ", copies of constants "
                + NODE_COPIES * nodeBytes + ", the rest of a file of " + fileBytes + " as objects "
                + OBJECTS_FACTOR * restBytes() + ", the session " + SESSION_BYTES;
    }

    private long restBytes() {
        return Math.max(0, fileBytes - weightBytes);
    }

    /// The messages of an ONNX file that hold tensors, with the fields that lead to them.
    private enum Level {
        MODEL,
        GRAPH,
        NODE,
        ATTRIBUTE,
        TENSOR,
        NONE;

        Level child(int field) {
            return switch (this) {
                case MODEL -> field == 7 ? GRAPH : NONE;
                case GRAPH -> field == 1 ? NODE : field == 5 ? TENSOR : NONE;
                case NODE -> field == 5 ? ATTRIBUTE : NONE;
                case ATTRIBUTE -> field == 5 || field == 10 ? TENSOR : field == 6 || field == 11 ? GRAPH : NONE;
                case TENSOR, NONE -> NONE;
            };
        }
    }

    /// A walk through one file.
    private static final class Walk {
        /// No machine has more memory.
        private static final long MAX_BYTES = 1L << 50;

        private final MemorySegment file;
        private final ProtoCursor cursor;
        /// Values of small integer tensors by name: shapes, perhaps.
        private final Map<String, Long> products = new HashMap<>();
        /// Element sizes of tensors to be filled in, by the name of the tensor that has their shape.
        private final Map<String, Long> filled = new HashMap<>();

        private int depth;
        private long weights;
        private long inNodes;
        private long largest;

        Walk(MemorySegment file) {
            this.file = file;
            this.cursor = new ProtoCursor(file);
        }

        void message(Level level, long from, long to) {
            if (depth == ProtoCursor.MAX_DEPTH) {
                throw new IndexOutOfBoundsException("nested too deep");
            }
            depth++;
            cursor.position(from);
            String firstInput = null;
            boolean fills = false;
            while (cursor.position() < to) {
                long tag = cursor.varint();
                int field = (int) (tag >>> 3);
                if ((tag & 7) != ProtoCursor.BYTES) {
                    cursor.skip((int) tag & 7);
                    continue;
                }
                long length = cursor.length(to);
                long start = cursor.position();
                if (level == Level.NODE && field == 1 && firstInput == null) {
                    firstInput = cursor.text(start, length);
                } else if (level == Level.NODE && field == 4) {
                    fills = cursor.text(start, length).equals("ConstantOfShape");
                } else if (level.child(field) == Level.TENSOR) {
                    long bytes = tensor(start, start + length);
                    inNodes = Math.addExact(inNodes, level == Level.ATTRIBUTE ? bytes : 0);
                } else if (level.child(field) != Level.NONE) {
                    message(level.child(field), start, start + length);
                }
                cursor.position(start + length);
            }
            if (fills && firstInput != null) {
                filled.merge(firstInput, 1L, Long::sum);
            }
            depth--;
        }

        private long tensor(long from, long to) {
            cursor.position(from);
            long elements = 1;
            long type = 1;
            String name = "";
            long product = -1;
            while (cursor.position() < to) {
                long tag = cursor.varint();
                int field = (int) (tag >>> 3);
                int wire = (int) tag & 7;
                if (wire == ProtoCursor.VARINT && field == 1) {
                    elements = Math.multiplyExact(elements, cursor.varint());
                } else if (wire == ProtoCursor.VARINT && field == 2) {
                    type = cursor.varint();
                } else if (wire == ProtoCursor.BYTES) {
                    long length = cursor.length(to);
                    long start = cursor.position();
                    switch (field) {
                        case 1 -> elements = Math.multiplyExact(elements, packedProduct(start, start + length));
                        case 7 -> product = packedProduct(start, start + length);
                        case 8 -> name = cursor.text(start, length);
                        case 9 ->
                            product = type == 7 && length <= 8 * ProtoCursor.MAX_DEPTH ? rawProduct(start, length) : -1;
                        default -> {}
                    }
                    cursor.position(start + length);
                } else {
                    cursor.skip(wire);
                }
            }
            if (product >= 0) {
                products.put(name, product);
            }
            long bytes = Math.multiplyExact(elements, elementBytes(type));
            if (bytes < 0 || bytes > MAX_BYTES) {
                throw new ArithmeticException("a tensor of " + bytes + " bytes");
            }
            weights = Math.addExact(weights, bytes);
            largest = Math.max(largest, bytes);
            return bytes;
        }

        ModelSize size(long fileBytes) {
            long filledBytes = filledBytes();
            return new ModelSize(fileBytes, weights + filledBytes, inNodes + filledBytes, largest);
        }

        /// The bytes of tensors that are filled with one value when the model is loaded.
        private long filledBytes() {
            long bytes = 0;
            for (Map.Entry<String, Long> entry : filled.entrySet()) {
                long elements = products.getOrDefault(entry.getKey(), 0L);
                bytes = Math.addExact(bytes, Math.multiplyExact(Math.multiplyExact(elements, 4L), entry.getValue()));
            }
            return bytes;
        }

        private long packedProduct(long from, long to) {
            long product = 1;
            cursor.position(from);
            while (cursor.position() < to) {
                product = Math.multiplyExact(product, cursor.varint());
            }
            return product;
        }

        private long rawProduct(long from, long length) {
            long product = 1;
            for (long at = from; at + 8 <= from + length; at += 8) {
                product = Math.multiplyExact(product, file.get(ValueLayout.JAVA_LONG_UNALIGNED, at));
            }
            return product;
        }

        private static long elementBytes(long type) {
            return switch ((int) type) {
                case 7, 11, 13 -> 8;
                case 1, 6, 12 -> 4;
                case 4, 5, 10, 16 -> 2;
                default -> 1;
            };
        }
    }
}
