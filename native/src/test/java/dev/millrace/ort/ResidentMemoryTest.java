// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.memory.NoLeaks;
import dev.millrace.memory.OffHeapRegion;
import dev.millrace.memory.Tensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What ONNX Runtime allocates for us is not counted by our counters: the process must not grow by it.
///
/// A leaked value holds 4 kB or more here where ONNX Runtime allocates it: 20,000 would be 80 MB. Where it only refers
/// to our memory it is some 200 bytes of bookkeeping: 400,000 would be 80 MB as well. Each scenario runs in a JVM of
/// its own, whose heap is resident from the start.
@Tag("slow")
@EnabledOnOs(OS.LINUX)
@ExtendWith(NoLeaks.class)
class ResidentMemoryTest {
    private static final long BOUND_KB = 8 * 1024;

    @TempDir
    Path temp;

    enum Scenario {
        TENSORS_THAT_SUCCEED_AND_FAIL(20_000),
        ROWS_THAT_SUCCEED_AND_FAIL(200_000),
        STRINGS(20_000),
        SEQUENCES(20_000),
        RUNNERS(20_000);

        private final int runs;

        Scenario(int runs) {
            this.runs = runs;
        }

        void run() throws IOException {
            switch (this) {
                case TENSORS_THAT_SUCCEED_AND_FAIL -> tensors(this);
                case ROWS_THAT_SUCCEED_AND_FAIL -> rows(this);
                case STRINGS -> strings(this);
                case SEQUENCES -> sequences(this);
                case RUNNERS -> runners(this);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldNotGrow(Scenario scenario) throws Exception {
        Path out = temp.resolve("out");
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xms64m",
                        "-Xmx64m",
                        "-XX:+AlwaysPreTouch",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        scenario.name())
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.waitFor()).isZero();

        assertThat(Long.parseLong(Files.readString(out).trim()))
                .as("kB grown in %d runs", scenario.runs)
                .isLessThan(BOUND_KB);
    }

    /// Prints by how many kB the process has grown.
    static final class Main {
        private Main() {}

        public static void main(String[] arguments) throws IOException {
            Scenario.valueOf(arguments[0]).run();
            assertThat(NativeMemory.used()).isZero();
        }
    }

    private static void tensors(Scenario scenario) throws IOException {
        try (OnnxSession session = TestModels.open("gather", OrtRuntime.Binding.NATIVE);
                TensorRunner runner = session.tensorRunner();
                Tensor index = new Tensor(MemoryTag.CALL, DataType.INT64).reshape(1024, 1);
                Tensor value = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            Tensor[] inputs = {index};
            Tensor[] outputs = {value};
            measure(scenario, i -> {
                boolean fails = i % 10 == 0;
                index.setLong(1023, fails ? 4 : 3);
                if (fails) {
                    assertThatThrownBy(() -> runner.run(inputs, outputs)).isInstanceOf(OrtFailure.class);
                } else {
                    runner.run(inputs, outputs);
                }
            });
        }
    }

    private static void rows(Scenario scenario) throws IOException {
        try (OnnxSession session = TestModels.open("gather", OrtRuntime.Binding.NATIVE);
                OffHeapRegion index = OffHeapRegion.allocate(MemoryTag.RING, 8 * 16);
                OffHeapRegion value = OffHeapRegion.allocate(MemoryTag.RING, 4 * 16);
                RowRunner runner = session.rowRunner(
                        List.of(new RowTensor("index", DataType.INT64, List.of(1L), index)),
                        List.of(new RowTensor("value", DataType.FP32, List.of(1L), value)))) {
            measure(scenario, i -> {
                boolean fails = i % 10 == 0;
                index.segment().setAtIndex(ValueLayout.JAVA_LONG, 3, fails ? 4 : 3);
                if (fails) {
                    assertThatThrownBy(() -> runner.run(0, 16)).isInstanceOf(OrtFailure.class);
                } else {
                    runner.run(0, 16);
                }
            });
        }
    }

    private static void strings(Scenario scenario) throws IOException {
        try (OnnxSession session = TestModels.open("identity_bytes", OrtRuntime.Binding.NATIVE);
                TensorRunner runner = session.tensorRunner();
                Tensor text = new Tensor(MemoryTag.CALL, DataType.BYTES).reshape(1, 2);
                Tensor same = new Tensor(MemoryTag.CALL, DataType.BYTES)) {
            text.setString(0, "x".repeat(4096));
            measure(scenario, _ -> runner.run(new Tensor[] {text}, new Tensor[] {same}));
        }
    }

    private static void sequences(Scenario scenario) throws IOException {
        try (OnnxSession session = TestModels.open("split_fp32", OrtRuntime.Binding.NATIVE);
                TensorRunner runner = session.tensorRunner();
                Tensor whole = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(4, 1024);
                Tensor parts = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            measure(scenario, _ -> runner.run(new Tensor[] {whole}, new Tensor[] {parts}));
        }
    }

    private static void runners(Scenario scenario) throws IOException {
        try (OnnxSession session = TestModels.open("mlp", OrtRuntime.Binding.NATIVE)) {
            measure(scenario, _ -> session.tensorRunner().close());
        }
    }

    private static void measure(Scenario scenario, IntConsumer run) throws IOException {
        for (int i = 0; i < scenario.runs; i++) {
            run.accept(i);
        }
        long before = residentKb();
        for (int i = 0; i < scenario.runs; i++) {
            run.accept(i);
        }
        System.out.println(residentKb() - before);
    }

    private static long residentKb() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IllegalStateException("no VmRSS in /proc/self/status");
    }
}
