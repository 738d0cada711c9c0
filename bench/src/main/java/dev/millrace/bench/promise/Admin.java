// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Changes the models of a server, and reads its metrics.
///
/// Threads: any. Ownership: it closes its connections.
public final class Admin implements AutoCloseable {
    /// The token that the server is started with.
    private static final String TOKEN = "bench";

    private static final Pattern NATIVE = Pattern.compile("millrace_native_memory_bytes\\{tag=\"(\\w+)\"} (\\S+)");
    private static final int OK = 200;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String url;

    /// @param port where the server listens on this machine
    public Admin(int port) {
        this.url = "http://127.0.0.1:" + port;
    }

    /// The arguments of a server whose models may be changed.
    ///
    /// @param trial whether they are tried first
    public static List<String> arguments(boolean trial) {
        return List.of(
                "--model-control-mode",
                "explicit",
                "--load-model",
                "*",
                "--admin-token",
                TOKEN,
                "--model-trial",
                Boolean.toString(trial));
    }

    /// Loads a model, or loads it anew, and waits until it is served.
    ///
    /// @throws IOException if it cannot be
    public void load(String model) throws IOException {
        change(model, "load");
    }

    /// Takes a model out of service.
    ///
    /// @throws IOException if that is not possible
    public void unload(String model) throws IOException {
        change(model, "unload");
    }

    /// Has serve again what was served before, and waits until it is.
    ///
    /// @throws IOException if that is not possible
    public void rollback(String model) throws IOException {
        change(model, "rollback");
    }

    private void change(String model, String what) throws IOException {
        HttpResponse<String> answer =
                send(HttpRequest.newBuilder(URI.create(url + "/v2/repository/models/" + model + "/" + what))
                        .header("Authorization", "Bearer " + TOKEN)
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build());
        if (answer.statusCode() != OK) {
            throw new IOException(what + " of " + model + " was answered " + answer.statusCode() + " " + answer.body());
        }
    }

    /// The native memory that the server owns, by its tags.
    public Map<String, Long> nativeBytes() throws IOException {
        String metrics = metrics();
        Map<String, Long> bytes = new TreeMap<>();
        Matcher tag = NATIVE.matcher(metrics);
        while (tag.find()) {
            bytes.put(tag.group(1), (long) Double.parseDouble(tag.group(2)));
        }
        if (bytes.isEmpty()) {
            throw new IOException("the server's metrics do not tell its native memory: " + metrics);
        }
        return bytes;
    }

    /// The server's metrics, in Prometheus' text format.
    public String metrics() throws IOException {
        return send(HttpRequest.newBuilder(URI.create(url + "/metrics")).build())
                .body();
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
