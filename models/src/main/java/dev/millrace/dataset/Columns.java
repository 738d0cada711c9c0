// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import dev.millrace.memory.DataType;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Which columns of a table go where. An input of one element is the column of its name; one of n elements is the
/// columns `name_0` to `name_(n-1)`. Inputs without columns of their names take the columns that are left in order, if
/// these are just as many. Other columns are not looked at.
///
/// Threads: immutable, any.
final class Columns {
    /// More than a row can have in any memory.
    private static final int MAX_ELEMENTS = 1 << 27;

    private final Path file;
    private final List<String> names;
    private final RowShapes shapes;
    private final long[][] rows;
    private final int[][] sources;
    private final int label;

    private Columns(Path file, List<String> names, RowShapes shapes, int label) {
        this.file = file;
        this.names = names;
        this.shapes = shapes;
        this.rows = new long[shapes.inputs().size()][];
        this.sources = new int[shapes.inputs().size()][];
        this.label = label;
    }

    /// Finds the columns.
    ///
    /// @param apart whether each row is a request of its own
    /// @throws InvalidDataException if they are not what the model takes
    static Columns of(Path file, List<String> names, Signature signature, Optional<String> labelColumn, boolean apart)
            throws InvalidDataException {
        Map<String, Integer> places = new HashMap<>();
        for (int i = 0; i < names.size(); i++) {
            if (places.put(names.get(i), i) != null) {
                throw new InvalidDataException(file, "two columns are called '" + names.get(i) + "'");
            }
        }
        int label = labelColumn.isEmpty() ? -1 : places.getOrDefault(labelColumn.get(), -1);
        if (labelColumn.isPresent() && label < 0) {
            throw new InvalidDataException(
                    file,
                    "there is no column '" + labelColumn.get() + "', expected one with labels; there are "
                            + shortened(names));
        }
        Columns columns = new Columns(file, List.copyOf(names), RowShapes.of(signature, apart), label);
        columns.assign(places);
        return columns;
    }

    private void assign(Map<String, Integer> places) throws InvalidDataException {
        Set<Integer> used = new HashSet<>(Set.of(label));
        List<Integer> without = new ArrayList<>();
        Arrays.setAll(rows, shapes::row);
        Set<Integer> taken = taken(places);
        for (int i = 0; i < sources.length; i++) {
            sources[i] = named(i, places, taken);
            if (sources[i] == null) {
                without.add(i);
            } else {
                Arrays.stream(sources[i]).forEach(used::add);
            }
        }
        if (without.isEmpty()) {
            return;
        }
        List<Integer> left = new ArrayList<>();
        for (int column = 0; column < names.size(); column++) {
            if (!used.contains(column)) {
                left.add(column);
            }
        }
        inOrder(without, left);
    }

    /// The columns that are no element of an input whatever their names: the labels, and inputs of a single element.
    private Set<Integer> taken(Map<String, Integer> places) {
        Set<Integer> taken = new HashSet<>(Set.of(label));
        for (int input = 0; input < sources.length; input++) {
            Integer place = places.get(shapes.inputs().get(input).name());
            if (place != null && elements(input) == 1) {
                taken.add(place);
            }
        }
        return taken;
    }

    /// The columns that have an input's name, or null.
    private int[] named(int input, Map<String, Integer> places, Set<Integer> taken) throws InvalidDataException {
        String name = shapes.inputs().get(input).name();
        long elements = elements(input);
        Integer single = places.get(name);
        if (elements == 1 && single != null && single != label) {
            return new int[] {single};
        }
        int found = 0;
        while (places.containsKey(name + "_" + found) && !taken.contains(places.get(name + "_" + found))) {
            found++;
        }
        if (found == 0 || (elements < 0 && !settle(input, found))) {
            return null;
        }
        if (found != elements(input)) {
            throw new InvalidDataException(
                    file,
                    "the columns '" + name + "_0' to '" + name + "_" + (found - 1) + "' are " + found + ", expected "
                            + expected(input));
        }
        int[] columns = new int[found];
        Arrays.setAll(columns, i -> places.get(name + "_" + i));
        return columns;
    }

    private void inOrder(List<Integer> without, List<Integer> left) throws InvalidDataException {
        long known = 0;
        int open = -1;
        for (int input : without) {
            long elements = elements(input);
            known += Math.max(0, elements);
            open = elements < 0 ? input : open;
        }
        boolean fits = open < 0 ? known == left.size() : settle(open, left.size() - known);
        if (!fits || without.stream().anyMatch(input -> elements(input) < 0)) {
            throw new InvalidDataException(file, misfit(without, left));
        }
        int at = 0;
        for (int input : without) {
            sources[input] = new int[(int) elements(input)];
            for (int i = 0; i < sources[input].length; i++) {
                sources[input][i] = left.get(at++);
            }
        }
    }

    private String misfit(List<Integer> without, List<Integer> left) {
        List<String> expected = without.stream().map(this::expected).toList();
        return "it has " + left.size() + " columns for values" + (label < 0 ? "" : " beside the labels") + ": "
                + shortened(left.stream().map(names::get).toList()) + "; expected " + String.join(", and ", expected);
    }

    private String expected(int input) {
        TensorSpec spec = shapes.inputs().get(input);
        long elements = elements(input);
        String shape = "input '" + spec.name() + "' of shape " + spec.shape();
        if (elements < 0) {
            return "columns for " + shape + ", which leaves open how many";
        }
        return elements == 1
                ? "1 column '" + spec.name() + "' for " + shape
                : elements + " columns for " + shape + " (in order, or '" + spec.name() + "_0' to '" + spec.name() + "_"
                        + (elements - 1) + "')";
    }

    private static String shortened(List<String> names) {
        return names.size() <= 12
                ? names.toString()
                : "[" + String.join(", ", names.subList(0, 12)) + ", and " + (names.size() - 12) + " more]";
    }

    /// How many elements a row of an input has; -1 where that is open, or too many for columns.
    private long elements(int input) {
        long elements = 1;
        for (long dim : rows[input]) {
            if (dim < 0 || elements * dim > MAX_ELEMENTS) {
                return -1;
            }
            elements *= dim;
        }
        return elements;
    }

    /// Gives the only open dimension of an input the size that makes it so many elements; whether that can be.
    private boolean settle(int input, long elements) {
        long known = 1;
        int open = -1;
        for (int axis = 0; axis < rows[input].length; axis++) {
            if (rows[input][axis] >= 0) {
                known *= rows[input][axis];
            } else if (open >= 0) {
                return false;
            } else {
                open = axis;
            }
        }
        if (open < 0 || known < 1 || elements < 1 || elements % known != 0) {
            return false;
        }
        rows[input][open] = elements / known;
        return true;
    }

    /// Requires that no rows are left that make no whole run.
    void requireWhole(int left) throws InvalidDataException {
        if (left > 0) {
            throw new InvalidDataException(
                    file,
                    left + " rows are left at the end, expected a multiple of " + shapes.batch()
                            + ", which is how many the model takes");
        }
    }

    RowShapes shapes() {
        return shapes;
    }

    /// What a row of an input is like.
    long[] row(int input) {
        return rows[input];
    }

    DataType datatype(int input) {
        return shapes.inputs().get(input).datatype();
    }

    /// The columns of an input's elements, in order.
    int[] sources(int input) {
        return sources[input];
    }

    int inputs() {
        return sources.length;
    }

    /// The column with labels, or -1.
    int label() {
        return label;
    }

    String name(int column) {
        return names.get(column);
    }

    int count() {
        return names.size();
    }
}
