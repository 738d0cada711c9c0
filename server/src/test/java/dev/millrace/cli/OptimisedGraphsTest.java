// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.Bodies;
import dev.millrace.server.RawClient;
import dev.millrace.server.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The folder where a server keeps optimised graphs, over three of its starts.
@DisabledOnOs(OS.WINDOWS)
class OptimisedGraphsTest {
    @TempDir
    Path temp;

    @Test
    void shouldAnswerTheSameByAGraphThatWasKeptAndByOneThatWasDamaged() throws IOException {
        TestModels.write(temp.resolve("repository"), "m", 1, TestModels.manyOperators(7, 16));
        String first = answer();
        assertThat(first).contains("\"data\":[7");
        Path graph = only(".onnx");
        Path sum = only(".sum");
        FileTime made = Files.getLastModifiedTime(sum);

        assertThat(answer()).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(sum))
                .as("it is used, not made again")
                .isEqualTo(made);

        byte[] damaged = Files.readAllBytes(graph);
        damaged[damaged.length / 2] ^= 1;
        Files.write(graph, damaged);
        assertThat(answer()).isEqualTo(first);
        assertThat(only(".sum")).isEqualTo(sum);
        assertThat(Files.getLastModifiedTime(sum)).as("it is made again").isGreaterThan(made);
        assertThat(Files.readAllBytes(only(".onnx"))).isNotEqualTo(damaged);
    }

    /// What a server answers that is started for it.
    private String answer() {
        try (ServerProcess server = ServerProcess.start(List.of(), temp.resolve("repository"), temp.resolve("work"))) {
            server.awaitReady();
            assertThat(server.readiness()).endsWith(" - models: m:1");
            String answer = server.ask(RawClient.post("/v2/models/m/infer", Bodies.LINEAR))
                    .body();
            assertThat(server.terminate()).isZero();
            return answer;
        }
    }

    /// The file of a kind in the folder, which has one of each.
    private Path only(String kind) throws IOException {
        Path folder = WorkDirectory.graphs(temp.resolve("work"));
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(2);
            return all.stream()
                    .filter(file -> file.toString().endsWith(kind))
                    .findFirst()
                    .orElseThrow();
        }
    }
}
