// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A run that fails is told by its outcome and by our log, and not by ONNX Runtime on the process's output as well.
class QuietFailureTest {
    @TempDir
    Path folder;

    /// Fails a few runs in a process whose output can be looked at.
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            try (Millrace millrace = Millrace.open(Path.of(arguments[0]));
                    Call call = millrace.model("fails_on_index").call()) {
                int failed = 0;
                for (int i = 0; i < 3; i++) {
                    call.input(0).setLong(0, 99);
                    failed += call.run() == Outcome.FAILED ? 1 : 0;
                }
                System.out.println(failed + " runs failed: " + call.message());
            }
        }
    }

    @Test
    void shouldLeaveItToUsToLogThatARunFailed() throws Exception {
        Path models = TestModels.repository(folder.resolve("models"), "fails_on_index");

        ForkedJvm.Ended ended = ForkedJvm.run(folder, Program.class.getName(), models.toString());

        assertThat(ended.exitCode()).as(ended.output()).isZero();
        assertThat(ended.output()).contains("3 runs failed: model 'fails_on_index' failed on this batch");
        assertThat(ended.output()).doesNotContain("[E:onnxruntime");
    }
}
