// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import ai.onnxruntime.OrtSession;
import dev.millrace.memory.NoLeaks;
import java.lang.reflect.Field;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(NoLeaks.class)
class OrtRuntimeTest {
    /// The one thing that we use of ONNX Runtime without its leave.
    @Test
    void shouldFindTheNativeHandleOfSessions() {
        try {
            Field field = OrtSession.class.getDeclaredField("nativeHandle");
            assertThat(field.getType()).isEqualTo(long.class);
        } catch (NoSuchFieldException e) {
            fail("ONNX Runtime " + OrtRuntime.version() + " has moved the private field OrtSession.nativeHandle. Every"
                    + " session now goes through its Java API, slower and with garbage. Find where the OrtSession* is"
                    + " kept and change OrtRuntime.handle and OrtRuntime.openCApi; fields now: "
                    + java.util.Arrays.toString(OrtSession.class.getDeclaredFields()));
        }
        assertThat(OrtRuntime.binding())
                .as(
                        "ONNX Runtime %s is driven through its C API; OrtRuntime has logged why it is not",
                        OrtRuntime.version())
                .isEqualTo(OrtRuntime.Binding.NATIVE);
    }

    @Test
    void shouldTellItsVersion() {
        assertThat(OrtRuntime.version()).matches("\\d+\\.\\d+\\.\\d+.*");
    }

    @ParameterizedTest
    @EnumSource
    void shouldBindSessionsAsThePropertySays(OrtRuntime.Binding binding) {
        try (OnnxSession session = TestModels.open("identity_fp32", binding);
                TensorRunner runner = session.tensorRunner()) {
            assertThat(session.binding()).isEqualTo(binding);
            assertThat(runner)
                    .isInstanceOf(
                            binding == OrtRuntime.Binding.NATIVE ? NativeTensorRunner.class : JavaTensorRunner.class);
        }
        try (OnnxSession session = TestModels.open("split_fp32", binding);
                TensorRunner runner = session.tensorRunner()) {
            assertThat(runner).as("sequences").isInstanceOf(JavaTensorRunner.class);
        }
    }
}
