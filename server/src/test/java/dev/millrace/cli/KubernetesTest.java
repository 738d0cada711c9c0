// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/// The manifest in the documentation: its options are there, its probes are answered, and its times fit together.
class KubernetesTest {
    private static String manifest() throws IOException {
        Matcher block =
                Pattern.compile("(?s)```yaml\n(.*?)```").matcher(Files.readString(Path.of("../docs/kubernetes.md")));
        assertThat(block.find()).isTrue();
        return block.group(1);
    }

    private static List<String> all(String text, String pattern) {
        List<String> found = new ArrayList<>();
        Matcher matcher = Pattern.compile(pattern, Pattern.MULTILINE).matcher(text);
        while (matcher.find()) {
            found.add(matcher.group(1));
        }
        return found;
    }

    private static CommandLine.ParseResult options() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("serve"));
        arguments.addAll(all(manifest(), "^ +- (--\\S+)$"));
        return Main.commandLine().parseArgs(arguments.toArray(String[]::new)).subcommand();
    }

    @Test
    void shouldHaveOptionsThatThereAre() throws IOException {
        CommandLine.ParseResult options = options();

        assertThat(options.matchedOptions()).hasSize(9);
        assertThat(options.matchedOptionValue("--http-port", 0)).isEqualTo(8000);
        assertThat(all(manifest(), "containerPort: (\\d+)")).containsExactly("8000", "8001");
    }

    @Test
    void shouldAskForWhatIsAnswered() throws IOException {
        List<String> paths = all(manifest(), "path: (/\\S+),");

        assertThat(paths).hasSize(3);
        try (TestServer server = TestServer.start()) {
            for (String path : paths) {
                assertThat(server.get(path).status()).as(path).isEqualTo(200);
            }
        }
    }

    @Test
    void shouldLeaveTimeToStop() throws IOException {
        CommandLine.ParseResult options = options();
        int grace = options.matchedOptionValue("--shutdown-grace", 0);
        int drain = options.matchedOptionValue("--drain-timeout", 0);

        assertThat(Integer.parseInt(
                        all(manifest(), "terminationGracePeriodSeconds: (\\d+)").getFirst()))
                .isGreaterThan(grace + drain);
        int period = Integer.parseInt(
                all(manifest(), "(?s)readinessProbe:.*?periodSeconds: (\\d+)").getFirst());
        assertThat(grace).as("time for several probes to notice").isGreaterThanOrEqualTo(3 * period);
    }

    @Test
    void shouldWriteToOneFolderOnly() throws IOException {
        String manifest = manifest();

        assertThat(manifest).contains("readOnlyRootFilesystem: true");
        assertThat(all(manifest, "mountPath: (/\\w+) "))
                .containsExactly(
                        options().matchedOptionValue("--work-dir", Path.of("/")).toString());
        assertThat(all(manifest, "mountPath: (/\\w+), readOnly: true")).containsExactly("/models");
    }
}
