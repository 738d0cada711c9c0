// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whatever is written as CSV or as JSON lines is read as the same tensors, bit by bit.
class RoundTripTest {
    private static final List<String> TEXTS =
            List.of("", "a", ",", "\"", "a\"b", "\r\n", "\n", " b ", "ü€😀", "NaN", "\t", "\\", "\uFEFF", "null");

    @TempDir
    Path temp;

    /// Generated rows: values as text, by row and column.
    private record Table(Signature signature, List<List<String>> rows, List<Double> labels, SplittableRandom random) {}

    @Test
    void shouldReadWhatWasWritten() throws IOException {
        for (int seed = 0; seed < 150; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Table table = table(random);
            Path csv = Files.writeString(temp.resolve("data.csv"), csv(table));
            Path json = Files.writeString(temp.resolve("data.jsonl"), json(table));
            int rows = random.nextInt(1, 9);

            List<String> expected = expected(table);
            Optional<String> label = Optional.of("label");
            assertThat(flat(Datasets.open(csv, table.signature(), label), rows))
                    .as("seed %d, CSV", seed)
                    .isEqualTo(expected);
            assertThat(flat(Datasets.open(json, table.signature(), label), rows))
                    .as("seed %d, JSON lines", seed)
                    .isEqualTo(expected);
        }
    }

    private static Table table(SplittableRandom random) {
        List<TensorSpec> inputs = new ArrayList<>();
        DataType[] types = DataType.values();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            List<Long> shape = new ArrayList<>(List.of(-1L));
            for (int axis = random.nextInt(3); axis > 0; axis--) {
                shape.add(random.nextLong(1, 4));
            }
            inputs.add(new TensorSpec("in" + i, types[random.nextInt(types.length)], shape));
        }
        List<List<String>> rows = new ArrayList<>();
        List<Double> labels = new ArrayList<>();
        for (int row = random.nextInt(20); row > 0; row--) {
            List<String> values = new ArrayList<>();
            for (TensorSpec input : inputs) {
                for (long i = elements(input); i > 0; i--) {
                    values.add(value(input.datatype(), random));
                }
            }
            rows.add(values);
            labels.add((double) random.nextInt(-3, 10));
        }
        return new Table(
                new Signature(inputs, List.of(new TensorSpec("y", DataType.FP32, List.of(-1L)))), rows, labels, random);
    }

    private static long elements(TensorSpec input) {
        return input.shape().stream().skip(1).reduce(1L, Math::multiplyExact);
    }

    private static String value(DataType type, SplittableRandom random) {
        return switch (type) {
            case BYTES -> TEXTS.get(random.nextInt(TEXTS.size()));
            case BOOL -> Boolean.toString(random.nextBoolean());
            case FP32 -> Float.toString(Float.intBitsToFloat(random.nextInt()));
            case FP64 -> Double.toString(Double.longBitsToDouble(random.nextLong()));
            case FP16 -> Float.toString(Float.float16ToFloat((short) random.nextInt()));
            case BF16 -> Float.toString(Float.intBitsToFloat(random.nextInt() << 16));
            case UINT64 -> Long.toUnsignedString(random.nextLong());
            case UINT8, UINT16, UINT32 -> Long.toString(random.nextLong() >>> (64 - 8 * type.byteSize()));
            default -> Long.toString(random.nextLong() >> (64 - 8 * type.byteSize()));
        };
    }

    private static String csv(Table table) {
        SplittableRandom random = table.random();
        String end = random.nextBoolean() ? "\r\n" : "\n";
        List<String> names = new ArrayList<>();
        for (TensorSpec input : table.signature().inputs()) {
            for (long i = 0; i < elements(input); i++) {
                names.add(input.name() + "_" + i);
            }
        }
        int at = random.nextInt(names.size() + 1);
        names.add(at, "label");
        StringBuilder text = new StringBuilder(random.nextBoolean() ? "\uFEFF" : "");
        text.append(String.join(",", names)).append(end);
        for (int row = 0; row < table.rows().size(); row++) {
            List<String> fields = new ArrayList<>(table.rows().get(row));
            fields.add(at, table.labels().get(row).toString());
            text.append(fields.stream().map(field -> field(field, random)).collect(Collectors.joining(",")))
                    .append(row == table.rows().size() - 1 && random.nextBoolean() ? "" : end);
        }
        return text.toString();
    }

    private static String field(String value, SplittableRandom random) {
        boolean needed = value.chars().anyMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
        return needed || random.nextInt(4) == 0 ? '"' + value.replace("\"", "\"\"") + '"' : value;
    }

    /// Rows in requests of one to three.
    private static String json(Table table) {
        StringBuilder text = new StringBuilder();
        int row = 0;
        while (row < table.rows().size()) {
            int count = Math.min(table.random().nextInt(1, 4), table.rows().size() - row);
            int column = 0;
            List<String> inputs = new ArrayList<>();
            for (TensorSpec input : table.signature().inputs()) {
                int elements = (int) elements(input);
                List<String> data = new ArrayList<>();
                for (List<String> values : table.rows().subList(row, row + count)) {
                    List<String> own = values.subList(column, column + elements);
                    String list = own.stream()
                            .map(value -> input.datatype() == DataType.BYTES ? quoted(value) : value)
                            .collect(Collectors.joining(","));
                    data.add(table.random().nextBoolean() ? "[" + list + "]" : list);
                }
                column += elements;
                List<Long> shape = new ArrayList<>(input.shape());
                shape.set(0, (long) count);
                inputs.add("{\"data\":[" + String.join(",", data) + "],\"datatype\":\"" + input.datatype()
                        + "\",\"name\":\"" + input.name() + "\",\"shape\":" + shape + "}");
            }
            inputs.add("{\"name\":\"label\",\"datatype\":\"FP64\",\"shape\":[" + count + "],\"data\":"
                    + table.labels().subList(row, row + count) + "}");
            text.append("{\"inputs\":[").append(String.join(", ", inputs)).append("]}\n");
            row += count;
        }
        return text.toString();
    }

    private static String quoted(String value) {
        return '"'
                + value.replace("\\", "\\\\")
                        .replace("\"", "\\\"")
                        .replace("\n", "\\n")
                        .replace("\r", "\\r")
                        .replace("\t", "\\u0009")
                + '"';
    }

    /// The rows as tensors hold them: bits, by row.
    private static List<String> expected(Table table) {
        List<String> rows = new ArrayList<>();
        for (int row = 0; row < table.rows().size(); row++) {
            StringBuilder text = new StringBuilder();
            int column = 0;
            for (TensorSpec input : table.signature().inputs()) {
                for (long i = elements(input); i > 0; i--) {
                    text.append(bits(input.datatype(), table.rows().get(row).get(column++)))
                            .append(' ');
                }
            }
            rows.add(text.append("label ").append(table.labels().get(row)).toString());
        }
        return rows;
    }

    private static String bits(DataType type, String value) {
        return switch (type) {
            case BYTES -> value;
            case BOOL -> value.equals("true") ? "1" : "0";
            case FP32 -> Integer.toHexString(Float.floatToIntBits(Float.parseFloat(value)));
            case FP16, BF16 -> Long.toHexString(Double.doubleToLongBits(Float.parseFloat(value)));
            case FP64 -> Long.toHexString(Double.doubleToLongBits(Double.parseDouble(value)));
            case UINT64 -> Long.toString(Long.parseUnsignedLong(value));
            default -> value;
        };
    }

    private static List<String> flat(Dataset data, int rows) throws IOException {
        List<String> flat = new ArrayList<>();
        data.forEach(rows, batch -> {
            int count = (int) batch.inputs()[0].dim(0);
            assertThat(count).isBetween(1, rows);
            assertThat(batch.labels()).hasSize(count);
            for (int row = 0; row < count; row++) {
                StringBuilder text = new StringBuilder();
                for (Tensor tensor : batch.inputs()) {
                    int elements = (int) tensor.elementCount() / count;
                    for (int i = row * elements; i < (row + 1) * elements; i++) {
                        text.append(bits(tensor, i)).append(' ');
                    }
                }
                flat.add(text.append("label ").append(batch.labels()[row]).toString());
            }
        });
        return flat;
    }

    private static String bits(Tensor tensor, int index) {
        return switch (tensor.datatype()) {
            case BYTES -> tensor.getString(index);
            case FP32 -> Integer.toHexString(Float.floatToIntBits(tensor.getFloat(index)));
            case FP64, FP16, BF16 -> Long.toHexString(Double.doubleToLongBits(tensor.getReal(index)));
            default -> Long.toString(tensor.getLong(index));
        };
    }
}
