// SPDX-License-Identifier: Apache-2.0
package dev.millrace.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Parquet files of another program's making.
class ParquetDatasetTest {
    /// The library waits for itself on some damaged files. On a slow machine more are refused, and that is all.
    private static final Duration PATIENCE = Duration.ofMillis(300);

    @TempDir
    Path temp;

    private Path file(String name) throws IOException {
        try (InputStream in = ParquetDatasetTest.class.getResourceAsStream("/dataset/" + name + ".parquet")) {
            return Files.write(temp.resolve(name + ".parquet"), in.readAllBytes());
        }
    }

    private static TensorSpec spec(String name, DataType type, long... row) {
        List<Long> shape = new ArrayList<>(List.of(-1L));
        Arrays.stream(row).forEach(shape::add);
        return new TensorSpec(name, type, shape);
    }

    private static List<String> read(Path file, int rows, String label, TensorSpec... inputs) throws IOException {
        Signature signature = DatasetsTest.signature(inputs);
        return DatasetsTest.read(Datasets.open(file, signature, Optional.ofNullable(label)), rows);
    }

    @ParameterizedTest
    @ValueSource(strings = {"snappy", "zstd", "gzip", "uncompressed"})
    void shouldReadEveryCompression(String codec) throws IOException {
        List<String> batches = read(
                file(codec),
                4,
                "flag",
                spec("x", DataType.FP32, 2),
                spec("n", DataType.INT64),
                spec("s", DataType.BYTES));

        assertThat(batches).hasSize(2);
        assertThat(batches.getFirst())
                .isEqualTo("[4, 2][0.0, 0.0, " + third(1) + ", " + seventh(1) + ", " + third(2) + ", " + seventh(2)
                        + ", 1.0, " + seventh(3) + "][4][0, 1000, 2000, 3000]"
                        + "[4][text 0 ü, text 1 ü, text 2 ü, ] labels [1.0, 0.0, 1.0, 0.0]");
        assertThat(batches.getLast()).startsWith("[3, 2]").endsWith(" labels [1.0, 0.0, 1.0]");
    }

    private static double third(int i) {
        return (float) (i / 3.0);
    }

    private static double seventh(int i) {
        return (float) (i / 7.0);
    }

    @Test
    void shouldReadEveryType() throws IOException {
        assertThat(read(file("snappy"), 7, "t", spec("l", DataType.INT64)))
                .containsExactly("[7][0, 10000000000, 20000000000, 30000000000, 40000000000, 50000000000, 60000000000]"
                        + " labels [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0]");
        assertThat(read(file("snappy"), 7, "money", spec("gap", DataType.FP32)))
                .containsExactly(
                        "[7][0.0, 1.0, NaN, 3.0, 4.0, 5.0, 6.0]" + " labels [0.0, 1.25, 2.5, 3.75, 5.0, 6.25, 7.5]");
        assertThat(read(file("snappy"), 7, "u", spec("flag", DataType.BOOL)))
                .containsExactly(
                        "[7][1, 0, 1, 0, 1, 0, 1]" + " labels [255.0, 254.0, 253.0, 252.0, 251.0, 250.0, 249.0]");
    }

    @Test
    void shouldReadAllRowGroups() throws IOException {
        List<String> batches = read(file("groups"), 1000, "y", spec("x", DataType.FP32, 2));

        assertThat(batches).hasSize(5);
        StringBuilder expected = new StringBuilder("[1000, 2][");
        for (int i = 4000; i < 5000; i++) {
            expected.append(i == 4000 ? "" : ", ")
                    .append((float) (i % 7))
                    .append(", ")
                    .append((float) (i % 5));
        }
        assertThat(batches.getLast()).startsWith(expected + "] labels [1.0, 2.0, 0.0");
    }

    @Test
    void shouldSayWhatIsWrong() throws IOException {
        Path file = file("snappy");

        assertThatThrownBy(() -> read(file, 1, null, spec("day", DataType.INT64)))
                .isInstanceOf(InvalidDataException.class)
                .hasMessageContaining(file + ": column 'day' is ")
                .hasMessageContaining("expected numbers, truth values or texts");
        assertThatThrownBy(() -> read(file, 1, null, spec("pair", DataType.INT64)))
                .hasMessageContaining("column 'pair' is nested, expected numbers");
        assertThatThrownBy(() -> read(file, 1, null, spec("gap", DataType.INT64)))
                .hasMessage(file + ": row 3, column 'gap': nothing came, expected an integer (INT64)");
        assertThatThrownBy(() -> read(file, 1, null, spec("s", DataType.FP32)))
                .hasMessage(file + ": row 1, column 's': 'text 0 ü' came, expected a number (FP32)");
        assertThatThrownBy(() -> read(file, 1, null, spec("l", DataType.INT32)))
                .hasMessageContaining("row 2, column 'l': '10000000000' came, expected an integer from -2147483648");
        assertThatThrownBy(() -> read(file, 1, null, spec("x", DataType.FP32, 3)))
                .hasMessageContaining("the columns 'x_0' to 'x_1' are 2, expected 3 columns");
        assertThatThrownBy(() -> read(file, 1, "label", spec("x", DataType.FP32, 2)))
                .hasMessageContaining("there is no column 'label'");
    }

    @Test
    void shouldRefuseWhatIsNoParquet() throws IOException {
        Path empty = Files.createFile(temp.resolve("empty.parquet"));
        Path text = Files.writeString(temp.resolve("text.parquet"), "a,b\n1,2\n".repeat(10));

        for (Path file : List.of(empty, text)) {
            assertThatThrownBy(() -> read(file, 1, null, spec("x", DataType.FP32, 2)))
                    .isInstanceOf(InvalidDataException.class)
                    .hasMessageStartingWith(file + ": it is no Parquet file, or damaged: ");
        }
    }

    @Test
    void shouldEndWithAnErrorOrValuesWhenAFileIsDamaged() throws IOException {
        long held = NativeMemory.used(MemoryTag.CALL);
        byte[] whole = Files.readAllBytes(file("uncompressed"));
        Signature signature = DatasetsTest.signature(spec("x", DataType.FP32, 2), spec("s", DataType.BYTES));
        int refused = 0;
        for (int seed = 0; seed < 40; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] damaged = Arrays.copyOf(whole, random.nextInt(3) == 0 ? random.nextInt(whole.length) : whole.length);
            for (int i = random.nextInt(4); i >= 0 && damaged.length > 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            Path file = Files.write(temp.resolve("damaged" + seed + ".parquet"), damaged);
            try {
                DatasetsTest.read(new ParquetDataset(file, signature, Optional.of("flag"), false, PATIENCE), 3);
            } catch (InvalidDataException e) {
                refused++;
                assertThat(e).as("seed %d", seed).hasMessageStartingWith(file + ": ");
            }
        }
        assertThat(refused).isGreaterThan(12);
        assertThat(NativeMemory.used(MemoryTag.CALL)).isEqualTo(held);
    }
}
