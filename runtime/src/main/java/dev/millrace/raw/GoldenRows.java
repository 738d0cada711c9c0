// SPDX-License-Identifier: Apache-2.0
package dev.millrace.raw;

import dev.millrace.features.ViewLayout;
import dev.millrace.features.ViewReader;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.version.Goldens;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The requests of a version's goldens: they also bring what is not to depend on a store and a clock,
/// `request_time` and, as `view.field` with one element, what is stored about whichever entity is asked
/// for; without any of a view's the store has nothing about it.
///
/// Threads: one.
final class GoldenRows implements Goldens.RawForm {
    private static final String TIME = "request_time";

    private final ServedPlan served;
    private final List<TensorSpec> inputs = new ArrayList<>();
    /// What is stored, by `view.field`.
    private final Map<String, Tensor> stored = new HashMap<>();

    private long now;

    GoldenRows(ServedPlan served) {
        this.served = served;
        inputs.addAll(served.signature().inputs());
        inputs.add(new TensorSpec(TIME, DataType.INT64, List.of(1L), true));
        for (FeatureView view : served.plan().spec().views()) {
            if (view.kind() == FeatureView.Kind.STORE) {
                for (FieldSpec field : view.fields()) {
                    inputs.add(new TensorSpec(
                            view.name() + "." + field.name(), ServedPlan.datatype(field.type()), List.of(1L), true));
                }
            }
        }
    }

    @Override
    public List<TensorSpec> inputs() {
        return inputs;
    }

    @Override
    public Tensor[] prepare(Tensor[] raw, MemoryBudget budget) {
        int fields = served.plan().fieldCount();
        stored.clear();
        for (int i = fields; i < raw.length; i++) {
            if (raw[i] != null) {
                if (raw[i].elementCount() != 1) {
                    throw new IllegalArgumentException("input '" + inputs.get(i).name() + "' has "
                            + raw[i].elementCount() + " elements, expected 1");
                }
                stored.put(inputs.get(i).name(), raw[i]);
            }
        }
        now = stored.containsKey(TIME) ? stored.get(TIME).getLong(0) : System.currentTimeMillis() * 1000;
        try (RawRows rows = new RawRows(
                served,
                StoredInputs::new,
                budget,
                budget,
                new FeatureCounters(served.plan().spec()))) {
            for (int i = 0; i < fields; i++) {
                if (raw[i] != null) {
                    rows.inputs()[i].copyFrom(raw[i]);
                }
            }
            return new Tensor[] {columns(rows.requestTime(now), budget)};
        }
    }

    private Tensor columns(RawRows rows, MemoryBudget budget) {
        long count = rows.rowCount();
        Tensor columns = new Tensor(budget, MemoryTag.CALL, DataType.FP32);
        if (count >= 1) {
            columns.reshape(count, served.plan().width());
        }
        if (count < 1 || !rows.write(count, columns)) {
            columns.close();
            throw new IllegalArgumentException(rows.problem());
        }
        return columns;
    }

    /// What a golden has of a view.
    private final class StoredInputs implements ViewReader {
        private final FeatureView view;
        private final MemorySegment memory;
        private final boolean any;

        StoredInputs(FeatureView view, ViewLayout layout) {
            this.view = view;
            int bytes = layout.byteSize();
            boolean found = false;
            for (FieldSpec field : view.fields()) {
                Tensor tensor = stored.get(view.name() + "." + field.name());
                found |= tensor != null;
                if (tensor != null && tensor.datatype() == DataType.BYTES) {
                    bytes += tensor.getBytes(0).length;
                }
            }
            any = found;
            memory = MemorySegment.ofArray(new byte[bytes]);
            lay(layout);
        }

        private void lay(ViewLayout layout) {
            int end = layout.byteSize();
            for (int i = 0; i < view.fields().size(); i++) {
                Tensor tensor =
                        stored.get(view.name() + "." + view.fields().get(i).name());
                if (tensor != null && !tensor.isNull(0)) {
                    int bits = memory.get(ValueLayout.JAVA_BYTE, i / Byte.SIZE) | 1 << i % Byte.SIZE;
                    memory.set(ValueLayout.JAVA_BYTE, i / Byte.SIZE, (byte) bits);
                    end = put(tensor, layout.offset(i), end);
                }
            }
        }

        /// Puts a value; where the texts end then.
        private int put(Tensor tensor, long at, int end) {
            switch (tensor.datatype()) {
                case FP64 -> memory.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, tensor.getDouble(0));
                case FP32 -> memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, tensor.getFloat(0));
                case INT32 -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) tensor.getLong(0));
                case BOOL -> memory.set(ValueLayout.JAVA_BYTE, at, (byte) tensor.getLong(0));
                case BYTES -> {
                    byte[] text = tensor.getBytes(0);
                    memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, end);
                    memory.set(ValueLayout.JAVA_INT_UNALIGNED, at + Integer.BYTES, text.length);
                    MemorySegment.copy(text, 0, memory, ValueLayout.JAVA_BYTE, end, text.length);
                    return end + text.length;
                }
                default -> memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, tensor.getLong(0));
            }
            return end;
        }

        @Override
        @Hot
        public boolean find(long key) {
            return any;
        }

        @Override
        @Hot
        public boolean find(byte[] key, int offset, int length) {
            return any;
        }

        @Override
        @Hot
        public MemorySegment memory() {
            return memory;
        }

        @Override
        @Hot
        public long offset() {
            return 0;
        }

        @Override
        @Hot
        public long eventTimeMicros() {
            return now;
        }
    }
}
