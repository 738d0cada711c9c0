// SPDX-License-Identifier: Apache-2.0
package dev.millrace.preprocess;

import dev.millrace.spec.Feature;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureSpecException;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.Transform;
import dev.millrace.spec.ValueKind;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Finds what a graph cannot compute. Stateless.
final class Refusals {
    private Refusals() {}

    /// Looks at all of a specification.
    ///
    /// @throws FeatureSpecException if there is anything, with all that was found
    static void check(FeatureSpec spec) {
        List<String> problems = new ArrayList<>();
        addNames(spec, problems);
        for (Feature feature : spec.features()) {
            for (int i = 0; i < feature.transforms().size(); i++) {
                String problem = problem(
                        feature.transforms().get(i), feature.inputs().getFirst().kind());
                if (problem != null) {
                    problems.add(spec.place(feature, i) + problem);
                }
            }
        }
        if (!problems.isEmpty()) {
            throw new FeatureSpecException(problems);
        }
    }

    /// The transform's name and what is said of it, or null for nothing.
    private static String problem(Transform transform, ValueKind takes) {
        return switch (transform) {
            case Transform.Hash _ -> ".hash: murmur3_x86_32 came, which ONNX does not have, expected vocab or one_hot";
            case Transform.Cross _ ->
                ".cross: murmur3_x86_32 came, which ONNX does not have, expected another transform";
            case Transform.Vocab vocab
            when vocab.unknown() == Transform.Vocab.Unknown.HASH ->
                ".vocab.unknown: 'hash' came, which is murmur3_x86_32 and ONNX does not have, expected value, null or"
                        + " reject";
            case Transform.Equal _
            when takes == ValueKind.TEXT ->
                ".equal: two texts came, which ONNX 17 does not compare, expected two whole numbers";
            case Transform.DateTime date -> zone("datetime", date.zone());
            case Transform.Cyclical cyclical -> zone("cyclical", cyclical.zone());
            default -> null;
        };
    }

    private static String zone(String transform, ZoneId zone) {
        return zone.getRules().isFixedOffset()
                ? null
                : "." + transform + ".zone: '" + zone + "' came, whose clocks change as this JVM's rules of time zones"
                        + " say, expected UTC or an offset such as +05:30";
    }

    /// Inputs and outputs of a graph have one name each.
    private static void addNames(FeatureSpec spec, List<String> problems) {
        Set<String> names = new HashSet<>();
        List<String> all = new ArrayList<>(List.of(spec.tensor(), PreprocessingGraph.REJECTED, "request_time"));
        spec.request().forEach(field -> all.add(field.name()));
        for (FeatureView view : spec.views()) {
            view.fields().forEach(field -> all.add(view.name() + "." + field.name()));
        }
        for (String name : List.copyOf(all.subList(3, all.size()))) {
            all.add(name + PreprocessingGraph.PRESENT);
        }
        for (String name : all) {
            if (!names.add(name) || name.startsWith(Nodes.INNER)) {
                problems.add(FeatureSpec.FILE_NAME + ":1:1: file: '" + name
                        + "' is a name that the graph has for something else, expected another for the field or the"
                        + " tensor");
            }
        }
    }
}
