// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.ProcessMemory;
import dev.millrace.memory.Tensor;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/// The limit for what ONNX Runtime allocates. In a JVM of its own: a process has one.
@Tag("slow")
@EnabledOnOs(OS.LINUX)
class LimitedMemoryTest {
    @Test
    void shouldStayInsideTheLimit() throws Exception {
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx64m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName())
                .inheritIO()
                .start();
        assertThat(process.waitFor()).isZero();
    }

    /// Fails if anything is not as it should be.
    static final class Main {
        private static final long LIMIT = 32 << 20;
        /// Rows of four floats whose result fits into the limit, and those whose does not.
        private static final int FITTING = 1_000_000;

        private static final int TOO_MANY = 3_000_000;

        private Main() {}

        public static void main(String[] arguments) throws IOException {
            assertThat(ProcessMemory.returnFreedBlocks()).isTrue();
            assertThat(OrtRuntime.limitAllocations(LIMIT)).isEqualTo(LIMIT);
            assertThat(OrtRuntime.limitAllocations(2 * LIMIT)).isEqualTo(LIMIT);
            try (OnnxSession session = TestModels.open("identity_fp32", OrtRuntime.Binding.NATIVE);
                    TensorRunner runner = session.tensorRunner()) {
                run(runner);
            }
        }

        private static void run(TensorRunner runner) {
            try (Tensor input = new Tensor(MemoryTag.CALL, DataType.FP32);
                    Tensor output = new Tensor(MemoryTag.CALL, DataType.FP32)) {
                Tensor[] inputs = {input};
                Tensor[] outputs = {output};
                // Rising sizes leave pieces behind that are too small for the next one.
                for (int rows = 1; rows <= FITTING; rows *= 10) {
                    input.reshape(rows, 4);
                    runner.run(inputs, outputs);
                }
                long large = ProcessMemory.anonymous();
                for (int i = 0; i < 3 * HighWater.WINDOW; i++) {
                    input.reshape(1, 4);
                    runner.run(inputs, outputs);
                }
                assertThat(ProcessMemory.anonymous()).isLessThan(large - 8 * FITTING);
                input.reshape(TOO_MANY, 4);
                assertThatThrownBy(() -> runner.run(inputs, outputs))
                        .isInstanceOfSatisfying(
                                OrtFailure.class,
                                failure -> assertThat(failure.isOutOfMemory()).isTrue())
                        .hasMessageContaining("requested bytes of " + 16L * TOO_MANY);
                input.reshape(FITTING, 4);
                runner.run(inputs, outputs);
            }
        }
    }
}
