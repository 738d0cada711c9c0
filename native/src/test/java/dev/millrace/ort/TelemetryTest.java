// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TelemetryTest {
    /// What the other JVM runs.
    static final class Start {
        private Start() {}

        public static void main(String[] arguments) {
            System.out.println(OrtRuntime.version());
        }
    }

    @Test
    void shouldStartWhenTheCommandLineIsLong() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Start.class.getName(),
                        "x".repeat(50_000))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();

        assertThat(process.inputReader().readLine()).isEqualTo(OrtRuntime.version());
        assertThat(process.waitFor()).isZero();
    }
}
