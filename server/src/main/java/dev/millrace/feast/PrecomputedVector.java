// SPDX-License-Identifier: Apache-2.0
package dev.millrace.feast;

import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// All features of a feature service for an entity, stored as one value, so that one field is read in place of many.
///
/// @param names `view__feature` of each value
/// @param values as they are stored, for [FeastValue]
/// @param eventTimesMicros when the values of each view were so, in microseconds since 1970
public record PrecomputedVector(List<String> names, List<byte[]> values, Map<String, Long> eventTimesMicros) {
    /// What the view is called that has the vectors of a service.
    private static final String VIEW = "__precomputed__";

    private static final String FIELD = "vector";
    private static final int NAME = 1 << 3 | 2;
    private static final int VALUE = 2 << 3 | 2;
    private static final int TIME = 3 << 3 | 2;
    private static final int TIME_VIEW = 1 << 3 | 2;
    private static final int TIME_TIMESTAMP = 2 << 3 | 2;
    private static final int END = 0;

    /// What has to be read for the vectors of a service.
    public static FeastView view(String service, List<JoinKey> joinKeys) {
        return new FeastView(VIEW + service, joinKeys, List.of(FIELD));
    }

    /// Reads a vector.
    ///
    /// @throws FeastFormatException if it is none
    public static PrecomputedVector decode(byte[] bytes) {
        CodedInputStream in = CodedInputStream.newInstance(bytes);
        List<String> names = new ArrayList<>();
        List<byte[]> values = new ArrayList<>();
        Map<String, Long> times = new HashMap<>();
        try {
            for (int tag = in.readTag(); tag != END; tag = in.readTag()) {
                switch (tag) {
                    case NAME -> names.add(in.readStringRequireUtf8());
                    case VALUE -> values.add(in.readByteArray());
                    case TIME -> time(in.readByteArray(), times);
                    default -> in.skipField(tag);
                }
            }
        } catch (IOException e) {
            throw new FeastFormatException("a precomputed vector cannot be read: " + e.getMessage());
        }
        if (names.size() != values.size()) {
            throw new FeastFormatException("a precomputed vector has " + names.size() + " names and " + values.size()
                    + " values, expected as many");
        }
        return new PrecomputedVector(names, values, times);
    }

    private static void time(byte[] bytes, Map<String, Long> times) throws IOException {
        CodedInputStream in = CodedInputStream.newInstance(bytes);
        String view = "";
        byte[] timestamp = {};
        for (int tag = in.readTag(); tag != END; tag = in.readTag()) {
            switch (tag) {
                case TIME_VIEW -> view = in.readStringRequireUtf8();
                case TIME_TIMESTAMP -> timestamp = in.readByteArray();
                default -> in.skipField(tag);
            }
        }
        times.put(view, FeastRow.micros(timestamp));
    }
}
