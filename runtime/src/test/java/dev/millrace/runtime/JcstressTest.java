// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Runs [TicketStress] and [LaneStress] in JVMs of their own; the report is in `target/jcstress`.
class JcstressTest {
    @Test
    @Tag("stress")
    @Timeout(300)
    void shouldSeeNothingForbiddenWhenThreadsRace() throws Exception {
        Path results = Files.createDirectories(Path.of("target", "jcstress").toAbsolutePath());
        ForkedJvm.Ended jvm = ForkedJvm.run(
                results,
                "org.openjdk.jcstress.Main",
                "-t",
                "dev.millrace.runtime",
                "-sc",
                "false",
                "-f",
                "1",
                "-iters",
                "2",
                "-time",
                "150",
                "-r",
                results.toString());
        assertThat(jvm.exitCode()).as(jvm.output()).isZero();
        assertThat(jvm.output())
                .contains("FAILED tests: \n  No matches.")
                .contains("ERROR tests: \n  No matches.")
                .contains("TicketStress", "LaneStress")
                .doesNotContain("FORBIDDEN");
    }
}
