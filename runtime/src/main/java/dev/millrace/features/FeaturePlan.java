// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.spec.Entity;
import dev.millrace.spec.Feature;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.FieldSpec;
import dev.millrace.spec.Input;
import dev.millrace.spec.ValueKind;
import dev.millrace.spec.ValueType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// A specification compiled: it turns raw values into the floats of a model's input row, the same
/// bits on every JVM.
///
/// Threads: any; it does not change. A [FeatureRow] has all that a row needs, and is for one thread
/// at a time. Memory: arrays on the heap, as large as what was learned; it writes into memory that
/// is the caller's.
public final class FeaturePlan {
    private final FeatureSpec spec;
    private final List<FieldSpec> fields = new ArrayList<>();
    private final List<String> fieldNames = new ArrayList<>();
    private final ValueType[] types;
    /// The raw values without which a row is rejected.
    private final int[] required;

    private final FeatureSteps[] features;
    private final ViewSteps[] views;
    private final byte[] constants;
    private final Map<String, Integer> slots = new HashMap<>();
    private final int timeSlot;
    private final int slotCount;
    /// For each column that is written, where it is among all of them.
    private final int[] written;

    private final int columnCount;

    private FeaturePlan(FeatureSpec spec) {
        this.spec = spec;
        spec.request().forEach(field -> addField(field.name(), field));
        for (FeatureView view : spec.views()) {
            if (view.kind() == FeatureView.Kind.REQUEST) {
                view.fields().forEach(field -> addField(view.name() + "." + field.name(), field));
            }
        }
        types = fields.stream().map(FieldSpec::type).toArray(ValueType[]::new);
        required = IntStream.range(0, types.length)
                .filter(field -> fields.get(field).required())
                .toArray();
        Constants values = new Constants();
        features = new FeatureSteps[spec.features().size()];
        List<Integer> columns = new ArrayList<>();
        int next = 0;
        for (int i = 0; i < features.length; i++) {
            Feature feature = spec.features().get(i);
            features[i] = steps(feature, i, next);
            TransformCompiler.compile(features[i], feature.inputs().getFirst().kind(), values);
            for (int column = 0; column < feature.columns().names().size(); column++) {
                if (feature.columns().emit()) {
                    columns.add(next + column);
                }
            }
            next += feature.columns().names().size();
        }
        columnCount = next;
        written = columns.stream().mapToInt(Integer::intValue).toArray();
        timeSlot = slots.getOrDefault("request_time", -1);
        views = spec.views().stream()
                .filter(view -> view.kind() == FeatureView.Kind.STORE)
                .filter(view -> slots.keySet().stream().anyMatch(name -> name.startsWith(view.name() + ".")))
                .map(view -> steps(view, values))
                .toArray(ViewSteps[]::new);
        constants = values.texts();
        slotCount = slots.size();
    }

    /// Compiles a specification.
    public static FeaturePlan compile(FeatureSpec spec) {
        return new FeaturePlan(spec);
    }

    private void addField(String name, FieldSpec field) {
        slots.put(name, fields.size());
        fields.add(field);
        fieldNames.add(name);
    }

    private int slot(String word) {
        return slots.computeIfAbsent(word, _ -> slots.size());
    }

    private FeatureSteps steps(Feature feature, int index, int first) {
        List<Input> inputs = feature.inputs();
        int[] from = inputs.stream().mapToInt(input -> slot(input.word())).toArray();
        ValueKind[] kinds = inputs.stream().map(Input::kind).toArray(ValueKind[]::new);
        return new FeatureSteps(feature, index, kinds, from, slot("features." + feature.name()), first);
    }

    private ViewSteps steps(FeatureView view, Constants values) {
        int[] places = new int[view.fields().size()];
        Long[] defaults = new Long[places.length];
        for (int i = 0; i < places.length; i++) {
            FieldSpec field = view.fields().get(i);
            places[i] = slots.getOrDefault(view.name() + "." + field.name(), -1);
            defaults[i] = field.fallback() == null ? null : (Long) values.of(field.fallback());
        }
        Entity entity = view.entity();
        return new ViewSteps(view, slots.get(entity.joinKey()), places, defaults);
    }

    /// The specification.
    public FeatureSpec spec() {
        return spec;
    }

    /// The number of floats that a row has.
    @Hot
    public int width() {
        return written.length;
    }

    /// The names of the columns in their order.
    public List<String> columns() {
        return spec.columns();
    }

    /// The handle of a raw value that comes with the request, `name` or `view.name`; look it up
    /// once.
    ///
    /// @throws IllegalArgumentException if there is none by that name
    public int field(String name) {
        int field = fieldNames.indexOf(name);
        if (field < 0) {
            throw new IllegalArgumentException("field '" + name + "' came, expected one of " + fieldNames);
        }
        return field;
    }

    /// The number of raw values that may come with the request. Their handles are those from 0.
    @Hot
    public int fieldCount() {
        return types.length;
    }

    /// The name of a raw value.
    public String fieldName(int field) {
        return fieldNames.get(field);
    }

    /// A raw value as the specification has it.
    public FieldSpec fieldSpec(int field) {
        return fields.get(field);
    }

    /// The type of a raw value.
    @Hot
    public ValueType type(int field) {
        return types[field];
    }

    /// A row without stored values.
    ///
    /// @throws IllegalArgumentException if features need a store's
    public FeatureRow newRow() {
        return newRow(FeatureSource.NONE);
    }

    /// A row whose stored values come from a source.
    public FeatureRow newRow(FeatureSource source) {
        List<ViewReader> readers = new ArrayList<>();
        try {
            for (ViewSteps each : views) {
                readers.add(source.open(each.view, each.layout));
            }
        } catch (RuntimeException e) {
            readers.forEach(ViewReader::close);
            throw e;
        }
        return new FeatureRow(this, readers.toArray(ViewReader[]::new), slotCount, columnCount);
    }

    /// Writes a row's floats one after the other. A row that is rejected writes nothing;
    /// [FeatureRow#problem()] says why. Does not allocate.
    ///
    /// @param row one of this plan's, with all fields set
    /// @param offset where the first float goes, in bytes; any alignment
    /// @return whether the row is not rejected
    @Hot
    public boolean write(FeatureRow row, MemorySegment out, long offset) {
        if (!prepare(row)) {
            return false;
        }
        for (int i = 0; i < features.length; i++) {
            if (!row.fixedFeatures[i] && !Interpreter.run(features[i], row)) {
                return false;
            }
        }
        float[] floats = row.floats;
        double[] columns = row.columns;
        for (int i = 0; i < floats.length; i++) {
            float value = (float) columns[written[i]];
            // one NaN, whatever its bits were
            floats[i] = Float.isNaN(value) ? Float.NaN : value;
        }
        MemorySegment.copy(floats, 0, out, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, floats.length);
        return true;
    }

    /// Works out what follows from some of the row's fields alone, which are set, once for all rows
    /// that begin with [FeatureRow#next()] until the row begins anew.
    ///
    /// @param fields by handle, those that the rows have in common
    /// @return whether none of the rows is rejected for it; [FeatureRow#problem()] says why otherwise
    @Hot
    public boolean fix(FeatureRow row, boolean[] fields) {
        requireOwn(row);
        row.fixing();
        boolean[] slotsFixed = row.fixedSlots;
        System.arraycopy(fields, 0, slotsFixed, 0, types.length);
        if (timeSlot >= 0) {
            slotsFixed[timeSlot] = true;
        }
        if (!isComplete(row, true) || !fetch(row, true)) {
            return false;
        }
        for (int i = 0; i < features.length; i++) {
            boolean fixed = features[i].isFixed(slotsFixed);
            slotsFixed[features[i].slot] = fixed;
            if (fixed && !Interpreter.run(features[i], row)) {
                return false;
            }
            row.fixedFeatures[i] = fixed;
        }
        row.fixed();
        return true;
    }

    /// Looks at what has to be there, and takes what is stored; whether the row is not rejected.
    @Hot
    boolean prepare(FeatureRow row) {
        requireOwn(row);
        row.enter();
        return isComplete(row, false) && fetch(row, false);
    }

    @Hot
    private void requireOwn(FeatureRow row) {
        if (row.plan != this) {
            throw new IllegalArgumentException("a row of another plan came, expected one of this");
        }
    }

    /// Whether what is required is there, of what is fixed or of the rest.
    @Hot
    private boolean isComplete(FeatureRow row, boolean fixed) {
        for (int i = 0; i < required.length; i++) {
            int field = required[i];
            if (row.nulls[field] && row.fixedSlots[field] == fixed) {
                return row.rejectInput(fieldNames.get(field), types[field].word(), 0, true);
            }
        }
        return true;
    }

    /// Takes what is stored, by keys that are fixed or by the others.
    @Hot
    private boolean fetch(FeatureRow row, boolean fixed) {
        // With several views memory is waited for once.
        for (int i = 0; i < views.length && views.length > 1; i++) {
            if (isFetched(row, i, fixed)) {
                views[i].expect(row, row.readers[i]);
            }
        }
        for (int i = 0; i < views.length; i++) {
            if (isFetched(row, i, fixed)) {
                if (!views[i].fetch(row, row.readers[i])) {
                    return false;
                }
                row.fixedViews[i] = fixed;
                if (fixed) {
                    views[i].fix(row.fixedSlots);
                }
            }
        }
        return true;
    }

    @Hot
    private boolean isFetched(FeatureRow row, int view, boolean fixed) {
        return !row.fixedViews[view] && (!fixed || row.fixedSlots[views[view].keySlot()]);
    }

    /// What became of a row step by step, for people. The row's fields are used as they are. Slow,
    /// and allocates.
    public Explanation explain(FeatureRow row) {
        return Explanation.of(this, row);
    }

    FeatureSteps[] features() {
        return features;
    }

    byte[] constants() {
        return constants;
    }

    int timeSlot() {
        return timeSlot;
    }
}
