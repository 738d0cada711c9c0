// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.features;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.onnx.OnnxFile;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import dev.millrace.preprocess.PreprocessingGraph;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.store.FeatureStore;
import dev.millrace.store.FieldType;
import dev.millrace.store.Row;
import dev.millrace.store.ViewReader;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// The exported graph run by ONNX Runtime on batches whose tensors were filled before: what is timed
/// is the run alone.
///
/// Threads: one. Ownership: whoever made it closes it.
final class GraphRun implements AutoCloseable {
    private final OnnxSession session;
    private final TensorRunner runner;
    private final int batchRows;
    /// By batch and input.
    private final Tensor[][] inputs;

    private final Tensor[] outputs;

    /// @param batches how many there are, of the first rows
    /// @param batchRows rows of each
    GraphRun(FeatureSpec spec, Payments payments, FeatureStore store, int batches, int batchRows) {
        this.batchRows = batchRows;
        byte[] bytes;
        try (OnnxFile file = PreprocessingGraph.of(spec)) {
            bytes = file.toBytes();
        }
        session = OnnxSession.open(bytes, SessionSettings.DEFAULT);
        runner = session.tensorRunner();
        List<ValueInfo> values = session.inputs();
        inputs = new Tensor[batches][values.size()];
        try (ViewReader users = store.view(Payments.USERS.name()).reader();
                ViewReader merchants = store.view(Payments.MERCHANTS.name()).reader()) {
            for (int batch = 0; batch < batches; batch++) {
                for (int i = 0; i < values.size(); i++) {
                    inputs[batch][i] = new Tensor(MemoryTag.CALL, values.get(i).datatype()).reshape(batchRows, 1);
                }
                for (int row = 0; row < batchRows; row++) {
                    int from = batch * batchRows + row;
                    users.find(payments.user(from));
                    merchants.find(payments.merchant(from));
                    for (int i = 0; i < values.size(); i++) {
                        put(
                                inputs[batch][i],
                                row,
                                values.get(i).name(),
                                name -> value(name, payments, from, users, merchants));
                    }
                }
            }
        }
        outputs = session.outputs().stream()
                .map(value -> new Tensor(MemoryTag.CALL, value.datatype()))
                .toArray(Tensor[]::new);
    }

    /// Finds a raw value by its name.
    private interface Raw {
        Object of(String name);
    }

    private static void put(Tensor to, int row, String name, Raw raw) {
        if (name.endsWith(PreprocessingGraph.PRESENT)) {
            String field = name.substring(0, name.length() - PreprocessingGraph.PRESENT.length());
            to.setLong(row, raw.of(field) == null ? 0 : 1);
            return;
        }
        switch (raw.of(name)) {
            case null -> {
                if (!to.datatype().isNumeric()) {
                    to.setString(row, "");
                }
            }
            case Long whole -> to.setLong(row, whole);
            case Double number -> to.setReal(row, number);
            case byte[] text -> to.setBytes(row, text);
            default -> throw new IllegalStateException(name);
        }
    }

    private static Object value(String name, Payments payments, int row, ViewReader users, ViewReader merchants) {
        int point = name.indexOf('.');
        if (point < 0) {
            return payments.raw(row, name);
        }
        Row stored = (name.startsWith(Payments.USERS.name() + ".") ? users : merchants).row();
        int field = stored.schema().index(name.substring(point + 1));
        if (stored.isNull(field)) {
            return null;
        }
        FieldType type = stored.schema().type(field);
        return switch (type) {
            case FLOAT64 -> stored.getDouble(field);
            case FLOAT32 -> (double) stored.getFloat(field);
            case INT32 -> (long) stored.getInt(field);
            case BOOL -> stored.getBoolean(field) ? 1L : 0L;
            case STRING -> stored.getString(field).getBytes(StandardCharsets.UTF_8);
            default -> stored.getLong(field);
        };
    }

    /// How many batches there are.
    int batches() {
        return inputs.length;
    }

    int batchRows() {
        return batchRows;
    }

    /// Runs a batch.
    void run(int batch) {
        runner.run(inputs[batch], outputs);
    }

    /// A float that the last run gave.
    float column(int row, int column) {
        return outputs[0].getFloat(row * outputs[0].dim(1) + column);
    }

    /// Whether the last run rejected a row.
    boolean isRejected(int row) {
        return outputs.length > 1 && outputs[1].getLong(row) != 0;
    }

    @Override
    public void close() {
        runner.close();
        for (Tensor[] batch : inputs) {
            for (Tensor tensor : batch) {
                tensor.close();
            }
        }
        for (Tensor tensor : outputs) {
            tensor.close();
        }
        session.close();
    }
}
