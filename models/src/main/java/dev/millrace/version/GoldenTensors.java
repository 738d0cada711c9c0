// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.ProtoCursor;
import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// A golden as ONNX's test data has it: a folder of `input_0.pb`, `output_0.pb` and so on, each a `TensorProto`, in the
/// order of the model's inputs and outputs. Threads: stateless.
///
/// @param name of the folder
record GoldenTensors(Path folder, String name) implements Golden {
    private static final long MAX_BYTES = 256L << 20;

    @Override
    public Tensor[] request(List<ValueInfo> inputs, boolean raw, MemoryBudget budget) throws IOException {
        Tensor[] tensors = read("input", inputs, budget);
        for (int i = 0; i < tensors.length; i++) {
            if (tensors[i] == null) {
                Arrays.stream(tensors).filter(Objects::nonNull).forEach(Tensor::close);
                throw new IllegalArgumentException(name + " has no input_" + i + ".pb, expected one for input '"
                        + inputs.get(i).name() + "'");
            }
        }
        return tensors;
    }

    @Override
    public Expected expected(List<ValueInfo> outputs, MemoryBudget budget) throws IOException {
        String[] files = new String[outputs.size()];
        Arrays.setAll(files, i -> name + "/output_" + i + ".pb");
        return new Expected(read("output", outputs, budget), files, Goldens.ATOL, Goldens.RTOL);
    }

    private Tensor[] read(String kind, List<ValueInfo> values, MemoryBudget budget) throws IOException {
        Tensor[] tensors = new Tensor[values.size()];
        try {
            for (int i = 0; Files.isRegularFile(folder.resolve(kind + "_" + i + ".pb")); i++) {
                String file = name + "/" + kind + "_" + i + ".pb";
                if (i == tensors.length) {
                    throw new IllegalArgumentException(
                            file + " is one too many, the model has " + tensors.length + " " + kind + "s");
                }
                DataType type = values.get(i).datatype();
                tensors[i] = new Tensor(budget, MemoryTag.CALL, type);
                read(folder.resolve(kind + "_" + i + ".pb"), file, tensors[i]);
            }
            return tensors;
        } catch (IOException | RuntimeException e) {
            Arrays.stream(tensors).filter(Objects::nonNull).forEach(Tensor::close);
            throw e;
        }
    }

    private static void read(Path path, String file, Tensor tensor) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            long bytes = channel.size();
            if (bytes > MAX_BYTES) {
                throw new IllegalArgumentException(
                        file + " has " + bytes + " bytes, expected " + MAX_BYTES + " at most");
            }
            MemorySegment content = channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena);
            new Reader(file, content, tensor).read();
        } catch (InternalError e) {
            throw new IOException(file + " changed while it was read", e);
        }
    }

    /// One reading of one file, first what tells the shape, then the elements.
    private static final class Reader {
        private final String file;
        private final MemorySegment content;
        private final ProtoCursor cursor;
        private final Tensor tensor;
        private long elements;

        Reader(String file, MemorySegment content, Tensor tensor) {
            this.file = file;
            this.content = content;
            this.cursor = new ProtoCursor(content);
            this.tensor = tensor;
        }

        void read() {
            try {
                head();
                cursor.position(0);
                while (cursor.position() < content.byteSize()) {
                    long tag = cursor.varint();
                    data((int) (tag >>> 3), (int) tag & 7);
                }
            } catch (IndexOutOfBoundsException e) {
                throw new IllegalArgumentException(file + " is no TensorProto: " + e.getMessage(), e);
            }
            if (elements != tensor.elementCount()) {
                throw new IllegalArgumentException(file + " has " + elements + " elements, expected "
                        + tensor.elementCount() + " as its shape " + Arrays.toString(tensor.shape()) + " says");
            }
        }

        private void head() {
            List<Long> dims = new ArrayList<>();
            long type = 0;
            while (cursor.position() < content.byteSize()) {
                long tag = cursor.varint();
                int field = (int) (tag >>> 3);
                int wire = (int) tag & 7;
                if (wire == ProtoCursor.BYTES) {
                    long end = cursor.length(content.byteSize()) + cursor.position();
                    while (field == 1 && cursor.position() < end) {
                        dims.add(cursor.varint());
                    }
                    cursor.position(end);
                } else if (wire == ProtoCursor.VARINT) {
                    long value = cursor.varint();
                    if (field == 1) {
                        dims.add(value);
                    }
                    type = field == 2 ? value : type;
                    if (field == 14 && value != 0) {
                        throw new IllegalArgumentException(file + " has its elements elsewhere, expected them in it");
                    }
                } else {
                    cursor.skip(wire);
                }
            }
            if (type != tensor.datatype().onnxCode()) {
                throw new IllegalArgumentException(file + " has elements of "
                        + DataType.ofOnnxCode((int) type).map(DataType::name).orElse("type " + type)
                        + ", expected " + tensor.datatype() + " as the model has it");
            }
            shape(dims.stream().mapToLong(Long::longValue).toArray());
        }

        private void shape(long[] dims) {
            // Every element takes a byte at least.
            long count = 1;
            for (long dim : dims) {
                count = dim < 0
                        ? Long.MAX_VALUE
                        : Math.multiplyExact(Math.min(count, MAX_BYTES), Math.min(dim, MAX_BYTES));
            }
            if (count > content.byteSize()) {
                throw new IllegalArgumentException(
                        file + " has the shape " + Arrays.toString(dims) + ", expected no more elements than it has");
            }
            tensor.reshape(dims);
        }

        private void data(int field, int wire) {
            if (wire != ProtoCursor.BYTES) {
                if (isData(field)) {
                    element(field);
                } else {
                    cursor.skip(wire);
                }
                return;
            }
            long length = cursor.length(content.byteSize());
            long start = cursor.position();
            if (field == 9) {
                raw(start, length);
            } else if (field == 6) {
                add();
                tensor.setBytes(
                        (int) elements - 1, content.asSlice(start, length).toArray(ValueLayout.JAVA_BYTE));
            } else if (isData(field)) {
                while (cursor.position() < start + length) {
                    element(field);
                }
            }
            cursor.position(start + length);
        }

        /// Whether it is the field for elements of the type.
        private boolean isData(int field) {
            return field
                    == switch (tensor.datatype()) {
                        case FP32 -> 4;
                        case FP64 -> 10;
                        case INT64 -> 7;
                        case UINT32, UINT64 -> 11;
                        case BYTES -> 6;
                        default -> 5;
                    };
        }

        private void element(int field) {
            add();
            long at = elements - 1;
            switch (field) {
                case 4 -> {
                    tensor.setFloat(at, content.get(ValueLayout.JAVA_FLOAT_UNALIGNED, cursor.position()));
                    cursor.skip(ProtoCursor.FIXED32);
                }
                case 10 -> {
                    tensor.setDouble(at, content.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, cursor.position()));
                    cursor.skip(ProtoCursor.FIXED64);
                }
                default -> tensor.setLong(at, cursor.varint());
            }
        }

        private void add() {
            if (elements++ == tensor.elementCount()) {
                throw new IllegalArgumentException(file + " has more than " + tensor.elementCount()
                        + " elements, expected as many as its shape " + Arrays.toString(tensor.shape()) + " says");
            }
        }

        private void raw(long start, long length) {
            if (tensor.datatype() == DataType.BYTES || length != tensor.byteSize()) {
                throw new IllegalArgumentException(file + " has " + length + " bytes of raw_data, expected "
                        + tensor.byteSize() + " for the shape " + Arrays.toString(tensor.shape()));
            }
            elements = tensor.elementCount();
            MemorySegment.copy(content, start, tensor.data(), 0, length);
        }
    }
}
