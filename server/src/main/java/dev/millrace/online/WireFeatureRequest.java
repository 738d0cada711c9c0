// SPDX-License-Identifier: Apache-2.0
package dev.millrace.online;

import dev.millrace.protocol.Refusal;
import dev.millrace.protocol.Wire;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads Feast's `GetOnlineFeaturesRequest` from the wire, without a message object. Fields may come
/// in any order; what is not known is passed over. Of two kinds the last one counts, as protobuf has
/// it; what is wrong is a [Refusal]. Threads: one.
final class WireFeatureRequest {
    private static final int FEATURE_SERVICE = Wire.tag(1, Wire.LENGTH);
    private static final int FEATURES = Wire.tag(2, Wire.LENGTH);
    private static final int ENTITIES = Wire.tag(3, Wire.LENGTH);
    private static final int FULL_FEATURE_NAMES = Wire.tag(4, Wire.VARINT);

    private static final int LIST_VALUE = Wire.tag(1, Wire.LENGTH);
    private static final int ENTRY_KEY = Wire.tag(1, Wire.LENGTH);
    private static final int ENTRY_VALUE = Wire.tag(2, Wire.LENGTH);

    private static final int STRING = Wire.tag(2, Wire.LENGTH);
    private static final int INT32 = Wire.tag(3, Wire.VARINT);
    private static final int INT64 = Wire.tag(4, Wire.VARINT);
    private static final int DOUBLE = Wire.tag(5, Wire.FIXED64);
    private static final int FLOAT = Wire.tag(6, Wire.FIXED32);
    private static final int BOOL = Wire.tag(7, Wire.VARINT);
    private static final int NULL = Wire.tag(19, Wire.VARINT);

    private final Wire wire = new Wire();
    private final Map<String, List<Object>> entities = new LinkedHashMap<>();
    private List<String> references;
    private String service;
    private boolean fullNames;

    private WireFeatureRequest(byte[] message) {
        wire.add(MemorySegment.ofArray(message));
        wire.open();
    }

    static FeatureRequest request(byte[] message) {
        return new WireFeatureRequest(message).read();
    }

    private FeatureRequest read() {
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == FEATURE_SERVICE) {
                service = name("feature_service");
                references = null;
            } else if (tag == FEATURES) {
                readFeatures();
            } else if (tag == ENTITIES) {
                readEntity();
            } else if (tag == FULL_FEATURE_NAMES) {
                fullNames = wire.varint() != 0;
            } else {
                wire.skip(tag);
            }
        }
        FeatureRequest request = FeatureRequest.checked(references, service, entities, fullNames);
        if (entities.isEmpty()) {
            throw Refusal.invalid("entities is empty, expected a RepeatedValue for each join key");
        }
        return request;
    }

    private void readFeatures() {
        service = null;
        references = references == null ? new ArrayList<>() : references;
        int outer = wire.enter();
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == LIST_VALUE) {
                references.add(name("features[" + references.size() + "]"));
            } else {
                wire.skip(tag);
            }
        }
        wire.leave(outer);
    }

    private void readEntity() {
        String key = "";
        // The values are read when their name is known, for what is said of them: it may come behind them.
        int begin = -1;
        int end = -1;
        int outer = wire.enter();
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == ENTRY_KEY) {
                key = name("a key of entities");
            } else if (tag == ENTRY_VALUE) {
                if (begin >= 0) {
                    throw Refusal.invalid("an entry of entities has two values, expected one RepeatedValue");
                }
                int size = wire.size();
                begin = wire.position();
                end = begin + size;
                wire.advance(size);
            } else {
                wire.skip(tag);
            }
        }
        wire.leave(outer);
        int behind = wire.position();
        List<Object> values = new ArrayList<>();
        if (begin >= 0) {
            wire.seek(begin, end);
            readValues(key, values);
            wire.seek(behind, outer);
        }
        if (entities.put(key, values) != null) {
            throw Refusal.invalid("entities." + key + " came twice");
        }
        int rows = entities.values().iterator().next().size();
        if (values.size() != rows) {
            throw Refusal.invalid("entities." + key + " has " + values.size() + " values, expected " + rows
                    + " as those before it have");
        }
    }

    private void readValues(String key, List<Object> values) {
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == LIST_VALUE) {
                values.add(value(key, values.size()));
            } else {
                wire.skip(tag);
            }
        }
    }

    /// A value; null if nothing is set in it.
    private Object value(String key, int index) {
        Object value = null;
        int outer = wire.enter();
        while (wire.hasMore()) {
            int tag = wire.tag();
            if (tag == STRING) {
                value = text("entities." + key);
            } else if (tag == INT64) {
                value = wire.varint();
            } else if (tag == INT32) {
                value = (int) wire.varint();
            } else if (tag == DOUBLE) {
                value = Double.longBitsToDouble(wire.fixed64());
            } else if (tag == FLOAT) {
                value = Float.intBitsToFloat(wire.fixed32());
            } else if (tag == BOOL) {
                value = wire.varint() != 0;
            } else if (tag == NULL) {
                wire.varint();
                value = null;
            } else {
                throw Refusal.invalid("entities." + key + "[" + index + "] is field " + (tag >>> 3)
                        + " of Value, expected string_val, int64_val, int32_val or another single value");
            }
        }
        wire.leave(outer);
        return value;
    }

    private String name(String what) {
        return JsonObjectReader.requireShort(what, text(what));
    }

    private String text(String what) {
        int size = wire.size();
        String text = wire.text(wire.position(), size, what);
        wire.advance(size);
        return text;
    }
}
