// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.model;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedOutputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A multi-layer perceptron as a file that may be larger than this process's heap: its weights are written as they are
/// drawn. Threads: one.
public final class PerceptronFile {
    private static final long SEED = 0x6c617267656d6c70L;
    private static final int CHUNK = 1 << 16;

    private final Path file;
    private final String name;

    private PerceptronFile(Path file, String name) {
        this.file = file;
        this.name = name;
    }

    /// Writes a model as version 1 into a repository in Triton's layout.
    ///
    /// @param widths of its layers, the input's first
    public static PerceptronFile writeInto(Path repository, String name, int... widths) throws IOException {
        Path file = repository.resolve(name).resolve("1").resolve("model.onnx");
        Files.createDirectories(file.getParent());
        List<TensorProto> tensors = new ArrayList<>();
        for (int layer = 1; layer < widths.length; layer++) {
            tensors.add(tensor("weight" + layer, widths[layer - 1], widths[layer]));
            tensors.add(tensor("bias" + layer, widths[layer]));
        }
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), CHUNK)) {
            write(out, graph(widths), tensors);
        }
        try (FileChannel written = FileChannel.open(file, StandardOpenOption.WRITE)) {
            // So that the system does not do it while something is timed.
            written.force(true);
        }
        return new PerceptronFile(file, name);
    }

    /// Nodes and values, without weights.
    private static ModelProto graph(int... widths) throws IOException {
        // The same graph with weights of no elements.
        ModelProto model = ModelProto.parseFrom(new Perceptron(widths, none(widths), none(widths)).onnx());
        return model.toBuilder()
                .setGraph(model.getGraph().toBuilder().clearInitializer())
                .build();
    }

    private static List<float[]> none(int... widths) {
        List<float[]> none = new ArrayList<>();
        for (int layer = 1; layer < widths.length; layer++) {
            none.add(new float[0]);
        }
        return none;
    }

    private static TensorProto tensor(String name, long... shape) {
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT_VALUE);
        for (long dim : shape) {
            tensor.addDims(dim);
        }
        return tensor.build();
    }

    private static long elements(TensorProto tensor) {
        return tensor.getDimsList().stream().reduce(1L, Math::multiplyExact);
    }

    /// The messages by hand, as lengths have to be known before what they are of.
    private static void write(OutputStream stream, ModelProto model, List<TensorProto> tensors) throws IOException {
        CodedOutputStream out = CodedOutputStream.newInstance(stream);
        GraphProto graph = model.getGraph();
        long graphBytes = graph.getSerializedSize();
        for (TensorProto tensor : tensors) {
            graphBytes += field(GraphProto.INITIALIZER_FIELD_NUMBER, bytes(tensor));
        }
        model.toBuilder().clearGraph().build().writeTo(out);
        begin(out, ModelProto.GRAPH_FIELD_NUMBER, graphBytes);
        graph.writeTo(out);
        SplittableRandom random = new SplittableRandom(SEED);
        for (TensorProto tensor : tensors) {
            begin(out, GraphProto.INITIALIZER_FIELD_NUMBER, bytes(tensor));
            tensor.writeTo(out);
            begin(out, TensorProto.RAW_DATA_FIELD_NUMBER, Float.BYTES * elements(tensor));
            // He initialisation keeps the values of every layer near one.
            double scale = Math.sqrt(2.0 / tensor.getDims(0));
            for (long left = elements(tensor); left > 0; left--) {
                out.writeFloatNoTag((float) ((random.nextDouble() - 0.5) * scale));
            }
        }
        out.flush();
    }

    private static long bytes(TensorProto tensor) {
        return tensor.getSerializedSize() + field(TensorProto.RAW_DATA_FIELD_NUMBER, Float.BYTES * elements(tensor));
    }

    private static long field(int number, long length) {
        return CodedOutputStream.computeTagSize(number) + CodedOutputStream.computeUInt64SizeNoTag(length) + length;
    }

    private static void begin(CodedOutputStream out, int field, long length) throws IOException {
        out.writeTag(field, 2); // delimited by its length
        out.writeUInt64NoTag(length);
    }

    /// Its name in the repository.
    public String name() {
        return name;
    }

    /// How long the file is.
    public long bytes() throws IOException {
        return Files.size(file);
    }

    /// Makes the file another one by a single bias: whoever knows it by its content has not seen this one.
    ///
    /// @param how none, one or another time
    public void alter(float how) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(open.length() - Float.BYTES);
            open.writeInt(Integer.reverseBytes(Float.floatToRawIntBits(how)));
        }
    }
}
