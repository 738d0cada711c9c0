// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bench.model.OnnxGraph;
import dev.millrace.memory.DataType;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Every route over models of every kind: who can ask answers like the floor, and who cannot says why.
class RoutesTest {
    /// Types that Java programs cannot hand to ONNX Runtime's Java API.
    private static final Set<DataType> FOREIGN = Set.of(DataType.UINT16, DataType.UINT32, DataType.UINT64);

    @TempDir
    Path temp;

    private long before;

    @BeforeEach
    void countMemory() {
        before = NativeMemory.used();
    }

    @AfterEach
    void shouldFreeAllMemory() {
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource(value = DataType.class)
    void shouldAnswerLikeTheFloorWhateverTheType(DataType type) throws IOException {
        Path file = write(new OnnxGraph("same")
                .input("x", type, -1, 3)
                .output("y", type, -1, 3)
                .node("Identity", "y", List.of("x")));
        try (Fixture fixture = Fixture.open(file.toString(), new Settings(1, 100, Map.of()))) {
            for (int batch : type == DataType.BYTES ? new int[] {1, 5} : new int[] {5}) {
                for (Route route : Route.values()) {
                    check(fixture, route, batch, canPass(route, type, batch));
                }
            }
        }
    }

    private static boolean canPass(Route route, DataType type, int batch) {
        return switch (route) {
            case FLOOR, CALL, PREDICT -> true;
            case ROW_RUNNER -> type != DataType.BYTES;
            case ORT_TYPICAL -> !FOREIGN.contains(type);
            case ORT_PINNED -> !FOREIGN.contains(type) && type != DataType.BYTES;
            // DJL's engine fails on several rows of strings.
            case DJL ->
                !FOREIGN.contains(type)
                        && type != DataType.INT16
                        && type != DataType.BF16
                        && (type != DataType.BYTES || batch == 1);
        };
    }

    private static void check(Fixture fixture, Route route, int batch, boolean possible) {
        if (possible) {
            assertThatCode(() -> fixture.gate().check(route, batch))
                    .as("%s, batch %d", route, batch)
                    .doesNotThrowAnyException();
        } else {
            assertThatThrownBy(() -> fixture.gate().check(route, batch))
                    .as("%s, batch %d", route, batch)
                    .isInstanceOfAny(Unavailable.class, Gate.Refusal.class);
        }
    }

    @Test
    void shouldAskSeveralInputsOfDifferentShapes() throws IOException {
        Path file = write(new OnnxGraph("sum")
                .input("a", DataType.FP32, -1, 2, 3)
                .input("b", DataType.FP32, -1, 2, 3)
                .input("all", DataType.FP32, 3)
                .output("sum", DataType.FP32, -1, 2, 3)
                .output("same", DataType.FP32, -1, 2, 3)
                .node("Add", "ab", List.of("a", "b"))
                .node("Add", "sum", List.of("ab", "all"))
                .node("Identity", "same", List.of("a")));
        try (Fixture fixture = Fixture.open(file.toString(), Settings.DEFAULT)) {
            for (Route route : Route.values()) {
                check(fixture, route, 4, route != Route.ROW_RUNNER);
            }
            assertThat(fixture.floorObstacle(4)).isEmpty();
            try (Contestant floor = fixture.contestant(Route.FLOOR, 4)) {
                floor.run(1);
                List<Value> asked = fixture.examples().batch(1, 4);
                Value sum = floor.answers().getFirst();
                assertThat(sum.shape()).containsExactly(4, 2, 3);
                for (int i = 0; i < 24; i++) {
                    float expected = (float) asked.get(0).real(i)
                            + (float) asked.get(1).real(i)
                            + (float) asked.get(2).real(i % 3);
                    assertThat((float) sum.real(i)).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void shouldTakeAFixedShapeAsItIs() throws IOException {
        Path file = write(new OnnxGraph("fixed")
                .input("x", DataType.FP32, 2, 3)
                .output("y", DataType.FP32, 2, 3)
                .node("Relu", "y", List.of("x")));
        try (Fixture fixture = Fixture.open(file.toString(), Settings.DEFAULT)) {
            for (Route route : Route.values()) {
                check(fixture, route, 1, route != Route.ROW_RUNNER);
            }
            assertThatThrownBy(() -> fixture.contestant(Route.FLOOR, 8))
                    .isInstanceOf(Unavailable.class)
                    .hasMessageContaining("x[2, 3]");
        }
    }

    @Test
    void shouldWantAShapeWhereTheModelLeavesItOpen() throws IOException {
        Path file = write(new OnnxGraph("open")
                .input("pixels", DataType.FP32, -1, 3, -1)
                .output("y", DataType.FP32, -1, 3, -1)
                .node("Relu", "y", List.of("pixels")));

        assertThatThrownBy(() -> Fixture.open(file.toString(), Settings.DEFAULT))
                .isInstanceOf(Unavailable.class)
                .hasMessageContaining("'pixels' has shape [-1, 3, -1]")
                .hasMessageContaining("--shape pixels=1,3,16");
        assertThatThrownBy(() -> Fixture.open(file.toString(), shape("pixels", 1, 4, 9)))
                .isInstanceOf(Unavailable.class)
                .hasMessageContaining("[1, 4, 9]");
        assertThatThrownBy(() -> Fixture.open(file.toString(), shape("pixel", 1, 3, 9)))
                .isInstanceOf(Unavailable.class)
                .hasMessageContaining("[pixels]");
        try (Fixture fixture = Fixture.open(file.toString(), shape("pixels", 1, 3, 9))) {
            for (Route route : Route.values()) {
                check(fixture, route, 2, route != Route.ROW_RUNNER);
            }
        }
    }

    @Test
    void shouldMakeValuesPerRunWhereOutputsCannotBeBound() throws IOException {
        Path file = write(new OnnxGraph("where")
                .input("x", DataType.BOOL, -1, 6)
                .output("places", DataType.INT64, 2, -1)
                .node("NonZero", "places", List.of("x")));
        try (Fixture fixture = Fixture.open(file.toString(), Settings.DEFAULT)) {
            assertThat(fixture.floorObstacle(2))
                    .hasValueSatisfying(why -> assertThat(why).contains("'places'"));
            check(fixture, Route.CALL, 2, true);
            check(fixture, Route.ORT_TYPICAL, 2, true);
            check(fixture, Route.DJL, 2, true);
            check(fixture, Route.ORT_PINNED, 2, false);
        }
    }

    @Test
    void shouldAskTheSameRowsInBatchesOfAnySize() throws IOException {
        Path file = write(new OnnxGraph("same")
                .input("x", DataType.FP32, -1, 3)
                .output("y", DataType.FP32, -1, 3)
                .node("Identity", "y", List.of("x")));
        try (Fixture fixture = Fixture.open(file.toString(), Settings.DEFAULT)) {
            float[] together =
                    (float[]) fixture.examples().batch(1, 4).getFirst().array();
            float[][] alone = fixture.examples().floats();

            assertThat(alone).hasNumberOfRows(Examples.COUNT);
            for (int row = 0; row < 4; row++) {
                assertThat(java.util.Arrays.copyOfRange(together, 3 * row, 3 * row + 3))
                        .containsExactly(alone[4 + row]);
            }
        }
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() throws IOException {
        Path text = Files.writeString(temp.resolve("text.onnx"), "no model");

        assertThatThrownBy(() -> Fixture.open(temp.resolve("none.onnx").toString(), Settings.DEFAULT))
                .hasMessageContaining("none.onnx does not exist");
        assertThatThrownBy(() -> Fixture.open(temp.toString(), Settings.DEFAULT))
                .hasMessageContaining("is not a file");
        assertThatThrownBy(() -> Fixture.open(text.toString(), Settings.DEFAULT))
                .hasMessageContaining("text.onnx is not an ONNX model");
    }

    @Test
    void shouldGiveSettingsToOtherProcesses() {
        Settings settings = new Settings(3, 7, Map.of("a&b=c", List.of(1L, -1L, 3L), "x", List.of(5L)));

        assertThat(Settings.decode(settings.encode())).isEqualTo(settings);
        assertThat(Settings.decode(Settings.DEFAULT.encode())).isEqualTo(Settings.DEFAULT);
    }

    private static Settings shape(String name, long... dims) {
        return new Settings(
                1, 2, Map.of(name, java.util.Arrays.stream(dims).boxed().toList()));
    }

    private Path write(OnnxGraph graph) throws IOException {
        return Files.write(temp.resolve("some.onnx"), graph.bytes());
    }
}
