// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/// The extension `classification`: instead of an output's values, the greatest of them with their places and the names
/// that those have, as `value:place:label`. Threads: stateless.
final class Classification {
    /// More values are not sorted for one answer.
    private static final int MAX_ELEMENTS = 1_000_000;
    /// As C++ prints floats unless it is told otherwise.
    private static final int DECIMALS = 6;

    private Classification() {}

    /// Whether values of this type can be compared and printed.
    static boolean isPossible(DataType type) {
        return switch (type) {
            case BOOL, FP16, BF16, BYTES -> false;
            default -> true;
        };
    }

    /// The greatest values of each row, greatest first, of equal ones the one that comes first; NaN is less than all.
    ///
    /// @param output an output of a model; its name is for messages
    /// @param hasRows whether its first dimension is one of rows; otherwise all its values are of one row
    /// @param count how many are wanted of each row
    /// @param labels the names of the places, as far as they have some
    /// @return strings of shape `[rows, count]`, or `[count]` without rows; fewer if a row has fewer values
    /// @throws Refusal if there are too many values
    static Tensor of(String name, Tensor output, boolean hasRows, int count, List<String> labels) {
        if (output.elementCount() > MAX_ELEMENTS) {
            throw Refusal.invalid("output '" + name + "' has " + output.elementCount() + " values, at most "
                    + MAX_ELEMENTS + " are sorted for parameter 'classification'");
        }
        int rows = hasRows ? (int) output.dim(0) : 1;
        int values = rows == 0 ? 0 : (int) (output.elementCount() / rows);
        int columns = Math.min(count, values);
        Tensor classes = new Tensor(MemoryTag.CALL, DataType.BYTES);
        classes.reshape(hasRows ? new long[] {rows, columns} : new long[] {columns});
        for (int row = 0; row < rows; row++) {
            int first = row * values;
            int[] best = IntStream.range(first, first + values)
                    .boxed()
                    .sorted(greatestFirst(output))
                    .limit(columns)
                    .mapToInt(Integer::intValue)
                    .toArray();
            for (int column = 0; column < columns; column++) {
                String text = text(output, best[column], best[column] - first, labels);
                classes.setBytes(row * columns + column, text.getBytes(StandardCharsets.UTF_8));
            }
        }
        return classes;
    }

    /// Sorting is stable, so that of equal values the first comes first.
    private static Comparator<Integer> greatestFirst(Tensor output) {
        return switch (output.datatype()) {
            case FP32, FP64 -> (one, other) -> compare(output.getReal(other), output.getReal(one));
            case UINT64 -> (one, other) -> Long.compareUnsigned(output.getLong(other), output.getLong(one));
            default -> (one, other) -> Long.compare(output.getLong(other), output.getLong(one));
        };
    }

    private static int compare(double one, double other) {
        if (Double.isNaN(one) || Double.isNaN(other)) {
            return Boolean.compare(Double.isNaN(other), Double.isNaN(one));
        }
        return one < other ? -1 : one > other ? 1 : 0;
    }

    private static String text(Tensor output, int element, int place, List<String> labels) {
        String value = switch (output.datatype()) {
            case FP32, FP64 -> decimal(output.getReal(element));
            case UINT64 -> Long.toUnsignedString(output.getLong(element));
            default -> Long.toString(output.getLong(element));
        };
        String label = place < labels.size() ? ":" + labels.get(place) : "";
        return value + ":" + place + label;
    }

    /// As `std::to_string` prints it: six decimals of the exact value, rounded to the nearest.
    static String decimal(double value) {
        String sign = Double.doubleToRawLongBits(value) < 0 ? "-" : "";
        if (Double.isNaN(value)) {
            return sign + "nan";
        }
        if (Double.isInfinite(value)) {
            return sign + "inf";
        }
        return sign
                + new BigDecimal(Math.abs(value))
                        .setScale(DECIMALS, RoundingMode.HALF_EVEN)
                        .toPlainString();
    }
}
