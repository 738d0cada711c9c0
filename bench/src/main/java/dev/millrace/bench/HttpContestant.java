// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.millrace.bench.decode.Document;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Value;
import dev.millrace.memory.DataType;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Single rows over HTTP, one request after the other on one connection. A client as plain as can be: it understands
/// what the servers of this bench answer, and nothing else.
///
/// Threads: one. Ownership: it closes its connection.
final class HttpContestant implements Contestant {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Pattern LENGTH = Pattern.compile("(?i)\r\nContent-Length: *(\\d+)\r\n");
    private static final int OK = 200;
    private static final int PATIENCE_MILLIS = 60_000;

    private final List<byte[]> requests;
    private final Socket socket;
    private final InputStream in;
    private String head;
    private String body;

    /// @param port where the server listens on this machine
    /// @param path what is asked
    /// @param bodies the requests' bodies, one per row
    HttpContestant(int port, String path, List<String> bodies) throws IOException {
        this(port, bodies.stream().map(body -> request(path, body)).toList());
    }

    /// @param port where the server listens on this machine
    /// @param requests whole requests, one per row, by [#request(String, String)]; nobody changes them
    HttpContestant(int port, List<byte[]> requests) throws IOException {
        this.requests = requests;
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        in = new BufferedInputStream(socket.getInputStream());
    }

    /// A whole request.
    static byte[] request(String path, String body) {
        String head =
                "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ";
        return (head + body.getBytes(StandardCharsets.UTF_8).length + "\r\n\r\n" + body)
                .getBytes(StandardCharsets.UTF_8);
    }

    /// The body of a request for one row of a model of [BenchModels].
    static String body(float[] row) {
        return Document.request(BenchModels.INPUT, row);
    }

    @Override
    public void run(int index) {
        try {
            socket.getOutputStream().write(requests.get(index));
            receive();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (!head.startsWith("HTTP/1.1 " + OK + ' ')) {
            throw new IllegalStateException(head.lines().findFirst().orElse("") + ": " + body);
        }
    }

    private void receive() throws IOException {
        StringBuilder text = new StringBuilder();
        while (text.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("the server closed the connection, after '" + text + "'");
            }
            text.append((char) next);
        }
        head = text.toString();
        Matcher length = LENGTH.matcher(head);
        if (!length.find()) {
            throw new IOException("an answer of unknown length: " + head);
        }
        body = new String(in.readNBytes(Integer.parseInt(length.group(1))), StandardCharsets.UTF_8);
    }

    /// The body of the last answer.
    String body() {
        return body;
    }

    /// The last answer as it came, head and body.
    String wire() {
        return head + body;
    }

    @Override
    public List<Value> answers() {
        List<Float> numbers = new ArrayList<>();
        String output;
        try (JsonParser json = JSON.createParser(body)) {
            output = seekData(json);
            while (json.nextToken() != JsonToken.END_ARRAY) {
                numbers.add(Float.parseFloat(json.currentToken().isNumeric() ? json.getText() : "NaN"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        float[] array = new float[numbers.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = numbers.get(i);
        }
        return List.of(new Value(output, DataType.FP32, new long[] {1, array.length}, array));
    }

    /// Reads up to the first element, and returns the output's name.
    private String seekData(JsonParser json) throws IOException {
        String name = "";
        for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
            if (token == JsonToken.FIELD_NAME && json.currentName().equals("name")) {
                name = json.nextTextValue();
            } else if (token == JsonToken.FIELD_NAME && json.currentName().equals("data")) {
                json.nextToken();
                return name;
            }
        }
        throw new IOException("an answer without data: " + body);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
