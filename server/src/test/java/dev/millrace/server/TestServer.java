// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.control.ControlConfig;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// A server with the test models, on a port of its own, and a client for it. When it is closed no native memory may be
/// left.
public final class TestServer implements AutoCloseable {
    private final MillraceServer server;
    /// What clients of servers that are started speak.
    private static HttpClient.Version version = HttpClient.Version.HTTP_1_1;

    private final HttpClient client = HttpClient.newBuilder()
            .version(version)
            .connectTimeout(Duration.ofSeconds(10))
            .build();

    /// An answer.
    public record Reply(int status, String body, HttpResponse<String> response) {
        public JsonTree json() {
            return JsonTree.parse(body);
        }

        public String error() {
            assertThat(json().members()).containsOnlyKeys("error");
            return json().get("error").text();
        }

        /// The first output's elements, as they were written.
        public String data() {
            assertThat(status).as(body).isEqualTo(200);
            return String.join(
                    ",", json().get("outputs").elements().getFirst().get("data").scalars());
        }
    }

    private TestServer(ServerConfig config, LongSupplier clock) {
        try {
            server = MillraceServer.start(config, clock);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static TestServer start() {
        return start(UnaryOperator.identity());
    }

    public static TestServer start(UnaryOperator<ServerConfig> change) {
        return start(change, System::nanoTime);
    }

    /// One with the models of another repository.
    public static TestServer start(Path repository, UnaryOperator<ServerConfig> change) {
        return new TestServer(change.apply(ServerConfig.of(repository).withPort(0)), System::nanoTime);
    }

    /// @param clock nanoseconds, for time limits of connections
    public static TestServer start(UnaryOperator<ServerConfig> change, LongSupplier clock) {
        // Some of the test models are broken on purpose.
        ControlConfig control = ControlConfig.DEFAULT.withStrictReadiness(false);
        return new TestServer(change.apply(ServerConfig.of(models()).withPort(0).withControl(control)), clock);
    }

    /// The folder of the test models.
    public static Path models() {
        try {
            return Path.of(TestServer.class.getResource("/models").toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Has all servers of a test class be asked in HTTP/2.
    static final class OverHttp2 implements BeforeAllCallback, AfterAllCallback {
        @Override
        public void beforeAll(ExtensionContext context) {
            version = HttpClient.Version.HTTP_2;
        }

        @Override
        public void afterAll(ExtensionContext context) {
            version = HttpClient.Version.HTTP_1_1;
        }
    }

    /// Looks now whose client takes too long.
    public void lookAtClients() {
        server.lookAtConnections();
    }

    public int port() {
        return server.port();
    }

    public MillraceServer server() {
        return server;
    }

    public RawClient connect() {
        return RawClient.connect(port());
    }

    public Reply get(String path) {
        return send(request(path).GET());
    }

    public Reply infer(String model, String body) {
        return post("/v2/models/" + model + "/infer", body);
    }

    public Reply post(String path, String body) {
        return send(request(path).POST(BodyPublishers.ofString(body)));
    }

    public HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(server.url() + path)).timeout(Duration.ofSeconds(60));
    }

    public Reply send(HttpRequest.Builder request) {
        try {
            HttpResponse<String> response = client.send(request.build(), BodyHandlers.ofString());
            if (response.statusCode() == HttpStatus.OK) {
                // What is wrong may be refused before the client has changed over.
                assertThat(response.version()).isEqualTo(client.version());
            }
            return new Reply(response.statusCode(), response.body(), response);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public HttpClient client() {
        return client;
    }

    /// As [#close()], while others hold native memory.
    public void stop() {
        client.shutdownNow();
        server.close();
    }

    @Override
    public void close() {
        stop();
        assertThat(NativeMemory.used()).as("native memory after close").isZero();
    }
}
