// SPDX-License-Identifier: Apache-2.0
package dev.millrace.transform;

import dev.millrace.history.ViewHistory;
import dev.millrace.spec.Feature;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.Input;
import dev.millrace.table.TableFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The histories of views that a command is given as NAME=FILE.
///
/// Threads: one. Ownership: it owns the histories, and whoever read them closes it.
final class HistoryFiles implements AutoCloseable {
    private final List<ViewHistory> histories = new ArrayList<>();

    private HistoryFiles() {}

    /// Which files are which views'.
    ///
    /// @throws IllegalArgumentException if one names no view of kind store, or one that was named
    static Map<FeatureView, Path> named(List<String> arguments, FeatureSpec spec) {
        Map<FeatureView, Path> files = new LinkedHashMap<>();
        for (String argument : arguments) {
            int end = argument.indexOf('=');
            if (end < 1 || end == argument.length() - 1) {
                throw new IllegalArgumentException("--view: '" + argument + "' came, expected NAME=FILE");
            }
            FeatureView view = view(argument.substring(0, end), spec);
            if (files.putIfAbsent(view, Path.of(argument.substring(end + 1))) != null) {
                throw new IllegalArgumentException("--view: '" + view.name() + "' came twice, expected it once");
            }
        }
        return files;
    }

    private static FeatureView view(String name, FeatureSpec spec) {
        List<FeatureView> stored = spec.views().stream()
                .filter(view -> view.kind() == FeatureView.Kind.STORE)
                .toList();
        return stored.stream()
                .filter(view -> view.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--view: '" + name + "' came, expected "
                        + (stored.isEmpty()
                                ? "none: " + spec.name() + " has no views of kind store"
                                : "one of the views of kind store "
                                        + stored.stream().map(FeatureView::name).toList())));
    }

    /// Checks that each view that features use has a file, if there is no store for the others.
    static void requireAll(Set<FeatureView> views, FeatureSpec spec, boolean hasStore) {
        FeatureView missing = hasStore ? null : missing(views, spec);
        if (missing != null) {
            throw new IllegalArgumentException("view '" + missing.name() + "' is of kind store: --store has to say"
                    + " which folder its values are in, or --view " + missing.name() + "=FILE its history");
        }
    }

    /// Checks that each view that features use has a file.
    static void requireAll(Set<FeatureView> views, FeatureSpec spec) {
        FeatureView missing = missing(views, spec);
        if (missing != null) {
            throw new IllegalArgumentException("view '" + missing.name() + "' is of kind store: --view "
                    + missing.name() + "=FILE has to say which file its events are in");
        }
    }

    /// The first view that features use and that has no file; null if there is none.
    private static FeatureView missing(Set<FeatureView> views, FeatureSpec spec) {
        return spec.views().stream()
                .filter(view -> view.kind() == FeatureView.Kind.STORE)
                .filter(view -> !views.contains(view) && isUsed(view, spec))
                .findFirst()
                .orElse(null);
    }

    private static boolean isUsed(FeatureView view, FeatureSpec spec) {
        for (Feature feature : spec.features()) {
            for (Input input : feature.inputs()) {
                if (input.origin() == Input.Origin.VIEW && input.view().equals(view.name())) {
                    return true;
                }
            }
        }
        return false;
    }

    /// Reads all of them.
    static HistoryFiles read(Map<FeatureView, Path> files) throws IOException {
        HistoryFiles read = new HistoryFiles();
        try {
            for (Map.Entry<FeatureView, Path> each : files.entrySet()) {
                read.histories.add(ViewHistory.read(TableFile.open(each.getValue()), each.getKey()));
            }
            return read;
        } catch (IOException | RuntimeException | Error e) {
            read.close();
            throw e;
        }
    }

    /// All of them.
    List<ViewHistory> all() {
        return histories;
    }

    @Override
    public void close() {
        histories.forEach(ViewHistory::close);
    }
}
