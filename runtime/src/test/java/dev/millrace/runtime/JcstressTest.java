// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Runs [TicketStress], [LaneStress], [ReopenStress], [BudgetStress], that of terminations and that of a feature
/// store's table in JVMs of their own; the report is in `target/jcstress`.
class JcstressTest {
    /// Two of them have three actors, and are left out where there are two processors.
    private static final int TESTS = Runtime.getRuntime().availableProcessors() > 2 ? 28 : 26;

    @Test
    @Tag("stress")
    @Timeout(300)
    void shouldSeeNothingForbiddenWhenThreadsRace() throws Exception {
        Path results = Files.createDirectories(Path.of("target", "jcstress").toAbsolutePath());
        ForkedJvm.Ended jvm = ForkedJvm.run(
                results,
                "org.openjdk.jcstress.Main",
                "-t",
                "dev.millrace",
                "-sc",
                "false",
                "-f",
                "1",
                "-iters",
                "5",
                "-time",
                "400",
                // Given arguments: one kind of JVM per test instead of eight.
                "-jvmArgs",
                "-Xmx512m -XX:+UnlockDiagnosticVMOptions -XX:+StressLCM -XX:+StressGCM",
                "-r",
                results.toString());
        assertThat(jvm.exitCode()).as(jvm.output()).isZero();
        assertThat(jvm.output())
                .contains("Interesting tests: No matches.")
                .contains("Failed tests: No matches.")
                .contains("Error tests: No matches.")
                .contains("All remaining tests: " + TESTS + " matching test results");
    }
}
