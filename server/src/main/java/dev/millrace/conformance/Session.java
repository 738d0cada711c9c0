// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a case talks to the server through. It remembers what was sent and came last, for the report.
///
/// Threads: the case's; [#abort()], [#isOverdue()], [#sent()] and [#came()] may be called by the one that watches it.
final class Session implements AutoCloseable {
    private static final int SHOWN = 220;

    private final Target target;
    private final Duration timeout;
    private final List<Wire> wires = new ArrayList<>();
    private volatile long deadline;
    private volatile boolean aborted;
    private volatile String sent = "";
    private volatile String came = "";

    /// @param timeout how long the server may take for each thing that it is asked
    Session(Target target, Duration timeout) {
        this.target = target;
        this.timeout = timeout;
        extend();
    }

    /// The server and its models.
    Target target() {
        return target;
    }

    private void extend() {
        deadline = System.nanoTime() + timeout.toNanos();
    }

    /// Whether the server has not answered in time.
    boolean isOverdue() {
        return System.nanoTime() - deadline > 0;
    }

    String sent() {
        return sent;
    }

    String came() {
        return came;
    }

    /// What the report says was sent, where that is more than one plain request.
    void describe(String what) {
        sent = what;
        came = "";
    }

    Wire connect() throws IOException {
        extend();
        Wire wire = new Wire(target.address(), timeout);
        synchronized (wires) {
            wires.add(wire);
        }
        if (aborted) {
            wire.close();
        }
        return wire;
    }

    /// The next answer on a connection.
    Answer read(Wire wire) throws IOException {
        extend();
        Answer answer = new Answer(wire.read());
        came = answer.shown();
        extend();
        return answer;
    }

    Answer get(String path) throws IOException {
        return send("GET", path, new byte[0]);
    }

    Answer post(String path, String body) throws IOException {
        return send("POST", path, body.getBytes(StandardCharsets.UTF_8));
    }

    /// Sends a request on a connection of its own.
    ///
    /// @param headers names and values in turn
    Answer send(String method, String path, byte[] body, String... headers) throws IOException {
        describe(method, path, body, headers);
        try (Wire wire = connect()) {
            return read(wire.send(request(method, path, body, headers)));
        }
    }

    void describe(String method, String path, byte[] body, String... headers) {
        String text = new String(body, 0, Math.min(SHOWN, body.length), StandardCharsets.UTF_8)
                .replaceAll("[\\p{Cntrl}\uFFFD]", ".");
        StringBuilder head = new StringBuilder(method + " " + path);
        for (int i = 0; i < headers.length; i += 2) {
            head.append(" [")
                    .append(headers[i])
                    .append(": ")
                    .append(headers[i + 1])
                    .append(']');
        }
        describe((head + " " + text + (body.length > SHOWN ? "..." : "")).strip());
    }

    /// The bytes of a request with a Content-Length, unless the headers have a Transfer-Encoding.
    byte[] request(String method, String path, byte[] body, String... headers) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("Host", target.address().hostHeader());
        all.putAll(target.address().headers());
        if (!method.equals("GET")) {
            all.put("Content-Length", Integer.toString(body.length));
        }
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], headers[i + 1]);
        }
        if (all.containsKey("Transfer-Encoding")) {
            all.remove("Content-Length");
        }
        StringBuilder head = new StringBuilder(method + " " + target.address().base() + path + " HTTP/1.1\r\n");
        all.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
        bytes.writeBytes(body);
        return bytes.toByteArray();
    }

    /// Asks a model.
    Answer infer(String model, InferRequest request) throws IOException {
        return send("POST", inferPath(model), request.bytes(), request.headers());
    }

    /// Asks the model by a body as it is.
    Answer infer(String model, String body) throws IOException {
        return post(inferPath(model), body);
    }

    static String inferPath(String model) {
        return modelPath(model) + "/infer";
    }

    static String modelPath(String model) {
        String encoded =
                java.net.URLEncoder.encode(model, StandardCharsets.UTF_8).replace("+", "%20");
        return "/v2/models/" + encoded;
    }

    /// Ends everything that the case waits for.
    void abort() {
        aborted = true;
        close();
    }

    @Override
    public void close() {
        synchronized (wires) {
            wires.forEach(Wire::close);
        }
    }
}
