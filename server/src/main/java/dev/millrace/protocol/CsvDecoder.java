// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.TensorSpec;
import dev.millrace.runtime.Call;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/// Reads comma-separated numbers, a line for each row, into the only input of a model. There is no line of names. Lines
/// and columns are counted before anything is filled.
///
/// An input of one dimension takes one line of any length, or lines of one number each. Threads: one; results belong to
/// the last body that was decoded.
public final class CsvDecoder {
    private static final Pattern REAL =
            Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|-?Infinity");
    private static final Pattern INTEGER = Pattern.compile("-?[0-9]{1,20}");
    private static final int MAX_SHOWN = 40;
    private static final long MAX_UNSIGNED_32 = 0xFFFF_FFFFL;

    private final Limits limits;
    private byte[] text;
    private int end;
    private boolean rows;

    /// @param limits what a request may have
    public CsvDecoder(Limits limits) {
        this.limits = limits;
    }

    /// Whether lines were rows, and the answer may have a line for each.
    public boolean isRows() {
        return rows;
    }

    /// Reads a body.
    ///
    /// @throws Refusal if it is no input of the call's model
    public void decode(Call call, byte[] body, int offset, int length) {
        text = body;
        end = offset + length;
        while (end > offset && isSpace(body[end - 1])) {
            end--;
        }
        int start = offset + markLength(offset);
        TensorSpec spec = spec(call);
        int rank = spec.shape().size();
        if (start >= end) {
            throw Refusal.invalid("the body is empty, expected lines of numbers");
        }
        int columns = columns(spec, start);
        long lines = countLines(start, columns, rank);
        rows = rank > 1 || lines > 1;
        if (rank == 1 && lines > 1 && columns > 1) {
            throw Refusal.invalid("there are " + lines + " lines of " + columns + " columns, expected one line, or one"
                    + " column, for an input of shape " + spec.shape());
        }
        if (lines * columns > limits.get(Limit.MAX_ELEMENTS)) {
            throw Refusal.tooLarge(
                    limits, Limit.MAX_ELEMENTS, "input '" + spec.name() + "' has " + lines * columns + " elements");
        }
        fill(call.input(0).reshape(shape(spec, lines, columns)), start);
        text = null;
    }

    private int markLength(int offset) {
        boolean mark = end - offset >= 3
                && text[offset] == (byte) 0xEF
                && text[offset + 1] == (byte) 0xBB
                && text[offset + 2] == (byte) 0xBF;
        return mark ? 3 : 0;
    }

    private static TensorSpec spec(Call call) {
        int inputs = call.signature().inputs().size();
        TensorSpec spec = call.signature().inputs().getFirst();
        DataType type = spec.datatype();
        if (inputs != 1
                || spec.shape().isEmpty()
                || type == DataType.BYTES
                || type == DataType.BOOL
                || spec.shape().stream().skip(1).filter(size -> size < 0).count()
                        > (spec.shape().size() == 2 ? 1 : 0)) {
            throw Refusal.invalid("text/csv is for models of one input of numbers, a line for each row; model '"
                    + call.model() + "' has "
                    + (inputs == 1 ? "one of " + type + " and shape " + spec.shape() : inputs + " inputs"));
        }
        return spec;
    }

    /// How many numbers a line has: as many as a row, or as the first line where that is open.
    private int columns(TensorSpec spec, int start) {
        long columns = 1;
        for (long size : spec.shape().subList(1, spec.shape().size())) {
            columns *= size;
        }
        if (spec.shape().size() > 1 && columns >= 0) {
            return (int) Math.min(Integer.MAX_VALUE, columns);
        }
        return countColumns(start, lineEnd(start));
    }

    private long countLines(int start, int columns, int rank) {
        long lines = 0;
        for (int at = start; at < end; at = lineEnd(at) + 1) {
            lines++;
            int found = countColumns(at, lineEnd(at));
            if (found != columns) {
                throw Refusal.invalid("line " + lines + " has " + found + " columns, expected " + columns
                        + (rank == 1 ? " as the first line has" : ""));
            }
        }
        return lines;
    }

    private static long[] shape(TensorSpec spec, long lines, int columns) {
        long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
        shape[0] = shape.length == 1 ? lines * columns : lines;
        if (shape.length == 2) {
            shape[1] = columns;
        }
        return shape;
    }

    private int lineEnd(int from) {
        int at = from;
        while (at < end && text[at] != '\n') {
            at++;
        }
        return at;
    }

    private int countColumns(int from, int lineEnd) {
        int columns = 1;
        for (int at = from; at < lineEnd; at++) {
            columns += text[at] == ',' ? 1 : 0;
        }
        return columns;
    }

    private void fill(Tensor tensor, int start) {
        long index = 0;
        int line = 1;
        int column = 1;
        int from = start;
        for (int at = start; at <= end; at++) {
            if (at == end || text[at] == ',' || text[at] == '\n') {
                set(tensor, index++, field(from, at), line, column);
                boolean next = at < end && text[at] == '\n';
                line += next ? 1 : 0;
                column = next ? 1 : column + 1;
                from = at + 1;
            }
        }
    }

    /// A field without spaces and quotes around it.
    private String field(int from, int to) {
        int first = from;
        int last = to;
        while (first < last && isSpace(text[first])) {
            first++;
        }
        while (last > first && isSpace(text[last - 1])) {
            last--;
        }
        if (last - first >= 2 && text[first] == '"' && text[last - 1] == '"') {
            first++;
            last--;
        }
        return new String(text, first, last - first, StandardCharsets.UTF_8);
    }

    private static boolean isSpace(byte character) {
        return character == ' ' || character == '\t' || character == '\r' || character == '\n';
    }

    private static void set(Tensor tensor, long index, String field, int line, int column) {
        DataType type = tensor.datatype();
        boolean known = (type.isFloating() ? REAL : INTEGER).matcher(field).matches();
        if (!known) {
            String shown = field.length() <= MAX_SHOWN ? field : field.substring(0, MAX_SHOWN) + "...";
            throw Refusal.invalid(at(line, column)
                    + (field.isEmpty() ? " is empty" : " is '" + shown + "'")
                    + ", expected "
                    + (type.isFloating() ? "a number" : "an integer"));
        }
        if (!(type.isFloating() ? setReal(tensor, index, field) : setInteger(tensor, index, field))) {
            throw Refusal.invalid(at(line, column) + " is " + field + ", which is out of the range of " + type);
        }
    }

    private static String at(int line, int column) {
        return "line " + line + ", column " + column;
    }

    /// Sets an element; false if a number that is finite would not be.
    private static boolean setReal(Tensor tensor, long index, String field) {
        if (tensor.datatype() == DataType.FP32) {
            tensor.setFloat(index, Float.parseFloat(field));
        } else {
            tensor.setReal(index, Double.parseDouble(field));
        }
        return !Double.isInfinite(tensor.getReal(index)) || field.endsWith("y");
    }

    /// Sets an element; false if it is out of its type's range.
    private static boolean setInteger(Tensor tensor, long index, String field) {
        try {
            if (tensor.datatype() == DataType.UINT64) {
                tensor.setLong(index, Long.parseUnsignedLong(field));
                return true;
            }
            long value = Long.parseLong(field);
            tensor.setLong(index, value);
            boolean fits = value >= Integer.MIN_VALUE && value <= MAX_UNSIGNED_32;
            return tensor.datatype() == DataType.INT64 || (fits && tensor.getLong(index) == value);
        } catch (NumberFormatException _) {
            return false;
        }
    }
}
