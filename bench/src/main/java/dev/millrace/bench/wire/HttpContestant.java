// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Batches over HTTP/1.1, one request after the other on one connection. A client as plain as can be: it understands
/// what the servers of this bench answer, and nothing else.
///
/// Threads: one. Ownership: it closes its connection.
public final class HttpContestant implements Contestant {
    private static final JsonFactory JSON = new JsonFactory();
    private static final Pattern LENGTH = Pattern.compile("(?i)\r\nContent-Length: *(\\d+)\r\n");
    private static final Pattern JSON_LENGTH = Pattern.compile("(?i)\r\nInference-Header-Content-Length: *(\\d+)\r\n");
    private static final Pattern NAME = Pattern.compile("\"outputs\":\\[\\{\"name\":\"([^\"]*)\"");
    private static final Pattern SHAPE = Pattern.compile("\"shape\":\\[([0-9,]+)\\]");
    private static final int OK = 200;
    private static final int PATIENCE_MILLIS = 60_000;

    private final List<byte[]> requests;
    private final Socket socket;
    private final InputStream in;
    private String head;
    private byte[] body;

    /// @param port where the server listens on this machine
    /// @param requests one per batch
    public HttpContestant(int port, List<Post> requests) throws IOException {
        this.requests = requests.stream().map(Post::wire).toList();
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        in = new BufferedInputStream(socket.getInputStream());
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
            throw new IllegalStateException(head.lines().findFirst().orElse("") + ": " + body());
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
        body = in.readNBytes(Integer.parseInt(length.group(1)));
    }

    /// The body of the last answer as text.
    public String body() {
        return new String(body, StandardCharsets.UTF_8);
    }

    /// The last answer as it came, head and body.
    public byte[] wire() {
        byte[] start = head.getBytes(StandardCharsets.US_ASCII);
        byte[] wire = Arrays.copyOf(start, start.length + body.length);
        System.arraycopy(body, 0, wire, start.length, body.length);
        return wire;
    }

    /// The length of an answer's body.
    ///
    /// @param wire by [#wire()]
    public static int bodyLength(byte[] wire) {
        Matcher length = LENGTH.matcher(new String(wire, StandardCharsets.ISO_8859_1));
        if (!length.find()) {
            throw new IllegalArgumentException("an answer of unknown length");
        }
        return Integer.parseInt(length.group(1));
    }

    @Override
    public List<Value> answers() {
        Matcher json = JSON_LENGTH.matcher(head);
        return List.of(json.find() ? binary(Integer.parseInt(json.group(1))) : numbers());
    }

    /// The only output, whose bytes are behind the JSON.
    private Value binary(int jsonLength) {
        String json = new String(body, 0, jsonLength, StandardCharsets.UTF_8);
        Matcher name = NAME.matcher(json);
        if (!name.find()) {
            throw new IllegalStateException("an answer without outputs: " + json);
        }
        FloatBuffer values = ByteBuffer.wrap(body, jsonLength, body.length - jsonLength)
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        float[] array = new float[values.remaining()];
        values.get(array);
        return new Value(name.group(1), DataType.FP32, shape(json), array);
    }

    /// The only output, as numbers in JSON.
    private Value numbers() {
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
        return new Value(output, DataType.FP32, shape(body()), array);
    }

    /// The shape of the first output.
    private static long[] shape(String json) {
        Matcher shape = SHAPE.matcher(json);
        if (!shape.find()) {
            throw new IllegalStateException("an answer without a shape: " + json);
        }
        return Arrays.stream(shape.group(1).split(","))
                .mapToLong(Long::parseLong)
                .toArray();
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
        throw new IOException("an answer without data: " + body());
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
