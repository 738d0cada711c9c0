// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Several versions of a model over HTTP: 1 is broken, 2 and 3 are the same.
class VersionsTest {
    private static final String BODY =
            Bodies.json("{'inputs':[{'name':'x','shape':[1,3],'datatype':'FP32','data':[1,2,3]}]}");

    private static TestServer start(Path root) throws IOException {
        Path folder = Files.createDirectories(root.resolve("m"));
        Files.writeString(folder.resolve("model.yaml"), """
            version_policy: { all: {} }
            dynamic_batching:
              priority_levels: 2
              priority_queue_policy: { 2: { max_queue_size: 64 } }
            parameters: { enable_mem_pattern: 0 }
            """);
        Files.write(Files.createDirectories(folder.resolve("1")).resolve("model.onnx"), new byte[] {1});
        for (String version : List.of("2", "3")) {
            Files.copy(
                    TestServer.models().resolve("one_row/1/model.onnx"),
                    Files.createDirectories(folder.resolve(version)).resolve("model.onnx"));
        }
        return TestServer.start(config -> ServerConfig.of(root).withPort(0));
    }

    private static String version(Reply reply) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json().get("model_version").text();
    }

    @Test
    void shouldServeEveryVersionThatIsReady(@TempDir Path root) throws IOException {
        try (TestServer server = start(root)) {
            assertThat(version(server.infer("m", BODY))).isEqualTo("3");
            assertThat(version(server.infer("m/versions/2", BODY))).isEqualTo("2");
            assertThat(server.infer("m/versions/1", BODY).status()).isEqualTo(503);
            assertThat(server.infer("m/versions/4", BODY).status()).isEqualTo(404);

            assertThat(server.get("/v2/models/m").body()).startsWith(Bodies.json("{'name':'m','versions':['2','3'],"));
            assertThat(server.get("/v2/models/m/versions/2").status()).isEqualTo(200);
            assertThat(server.get("/v2/models/m/versions/1").status()).isEqualTo(503);
            assertThat(server.get("/v2/models/m/versions/1/ready").status()).isEqualTo(503);
            assertThat(server.get("/v2/models/m/versions/2/ready").status()).isEqualTo(200);
            assertThat(server.get("/v2/models/m/ready").status()).isEqualTo(200);

            assertThat(server.get("/v2/models/m/config").body())
                    .contains(Bodies.json("'version_policy':{'all':{}}"))
                    .contains(Bodies.json("'default_model_filename':'model.onnx'"))
                    .contains(Bodies.json("'enable_mem_pattern':{'string_value':'0'}"))
                    .contains(Bodies.json("'response_cache':{'enable':false}"));

            assertThat(server.get("/metrics").body())
                    .contains("millrace_rows_total{model=\"m\",version=\"2\"} 1.0")
                    .contains("millrace_rows_total{model=\"m\",version=\"3\"} 1.0")
                    .doesNotContain("millrace_rows_total{model=\"m\",version=\"1\"}");
        }
    }
}
