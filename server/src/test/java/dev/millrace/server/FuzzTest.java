// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.millrace.server.RawClient.Answer;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import io.netty.util.ResourceLeakDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/// Requests that nobody would send: each body gets an answer that is not the server's fault, each head an answer or the
/// end of its connection, and nothing of them stays. `-Dmillrace.fuzz.bodies=1000000` sends more of them,
/// `-Dmillrace.fuzz.seed` others.
@Tag("slow")
class FuzzTest {
    private static final int BODIES = Integer.getInteger("millrace.fuzz.bodies", 60_000);
    private static final long SEED = Long.getLong("millrace.fuzz.seed", 20_261);
    private static final int HEADS = BODIES / 20;
    private static final int TOGETHER = 16;
    private static final int TIMEOUT_MILLIS = 30_000;
    /// How long an answer is waited for before the server is told that nothing more comes; any length will do.
    private static final int PATIENCE_MILLIS = 20;
    private static final byte[] LAST =
            "GET /v2/health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final Pattern START = Pattern.compile("HTTP/1\\.1 (\\d{3}) [^\r\n]*\r\n");
    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: (\\d+)\r\n");

    @Test
    @Timeout(value = 3, unit = TimeUnit.HOURS)
    void shouldNeverFailHangOrLeakWhateverIsSent(@TempDir Path repository, @TempDir Path folder) throws IOException {
        RawModel.addTo(repository);
        ListAppender<ILoggingEvent> leaks = new ListAppender<>();
        leaks.start();
        Logger log = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
        log.addAppender(leaks);
        EmbeddedStore store = EmbeddedStore.open(
                folder.resolve("store"),
                StoreOptions.DEFAULT,
                ViewSchema.parse("view stats\nkey user int64\nfield a float64\nfield b string(9)\n"));
        try (store;
                TestServer server = TestServer.start(config -> ServerConfig.of(TestServer.models(), repository)
                        .withPort(0)
                        .withControl(config.control())
                        .withRuntime(config.runtime().withFeatureStore(store)))) {
            store.write(new WriteBatch().row(store.view("stats"), 1, 1, 1).putDouble(0, 0.5));
            sendBodies(server);
            sendHeads(server);
            assertThat(server.infer("linear", Bodies.LINEAR).data()).isEqualTo("30.5,0.5");
            // What was not released is found when it is collected, and told at the next allocations.
            System.gc();
            sendSome(server, new FuzzCases(SEED + 1), 2000);
            // All native memory is looked at when the server closes.
            store.close();
        } finally {
            log.detachAppender(leaks);
        }
        assertThat(leaks.list).isEmpty();
    }

    private static void sendBodies(TestServer server) {
        FuzzCases cases = new FuzzCases(SEED);
        int good = sendSome(server, cases, BODIES);
        assertThat(good).as("good answers").isBetween(BODIES / 50, BODIES - BODIES / 50);
    }

    /// @return how many were answered well
    private static int sendSome(TestServer server, FuzzCases cases, int count) {
        int good = 0;
        for (int sent = 0; sent < count; ) {
            try (RawClient client = server.connect()) {
                // A new connection now and then: what one keeps is let go.
                for (int turn = 0; turn < 64 && sent < count; turn++) {
                    good += sendTogether(client, cases);
                    sent += TOGETHER;
                }
            }
        }
        return good;
    }

    private static int sendTogether(RawClient client, FuzzCases cases) {
        List<byte[]> requests = new ArrayList<>();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int i = 0; i < TOGETHER; i++) {
            requests.add(cases.body());
            all.writeBytes(requests.getLast());
        }
        client.send(all.toByteArray());
        int good = 0;
        for (byte[] request : requests) {
            Answer answer = client.read();
            requireNoFault(request, answer);
            good += answer.status() == 200 ? 1 : 0;
        }
        return good;
    }

    private static void requireNoFault(byte[] request, Answer answer) {
        boolean late = answer.status() == 429 || answer.status() == 504;
        String text = new String(request, StandardCharsets.ISO_8859_1);
        if (answer.status() != 200 && !(late && text.contains("timeout"))) {
            boolean absent = text.contains("sequence_id") || text.contains("shared_memory_region");
            int other = text.startsWith("POST /get-online-features") ? 404 : absent ? 501 : 400;
            assertThat(answer.status()).as("%s to %s", text, answer).isIn(400, 413, 415, other);
            assertThat(answer.headers().get("Connection"))
                    .as("%s to %s", text, answer)
                    .isNotEqualTo("close");
        }
        if ("application/json".equals(answer.headers().get("Content-Type"))
                && !answer.headers().containsKey("Inference-Header-Content-Length")) {
            JsonTree.parse(answer.body());
        }
    }

    private static void sendHeads(TestServer server) {
        FuzzCases cases = new FuzzCases(SEED);
        int answered = 0;
        for (int i = 0; i < HEADS; i++) {
            byte[] request = cases.head();
            byte[] came = exchange(server.port(), request);
            answered += requireAnswers(request, new String(came, StandardCharsets.ISO_8859_1));
        }
        assertThat(answered).as("answers to damaged heads").isGreaterThan(HEADS / 10);
    }

    /// Sends a request and one that asks to close the connection, and takes what comes until it is closed. Where the
    /// server waits for more, it is told that nothing comes.
    private static byte[] exchange(int port, byte[] request) {
        ByteArrayOutputStream came = new ByteArrayOutputStream();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(request);
            socket.getOutputStream().write(LAST);
            socket.setSoTimeout(PATIENCE_MILLIS);
            try {
                socket.getInputStream().transferTo(came);
            } catch (SocketTimeoutException _) {
                socket.setSoTimeout(TIMEOUT_MILLIS);
                socket.shutdownOutput();
                socket.getInputStream().transferTo(came);
            }
        } catch (SocketException _) {
            // The server closed it before it had read everything.
        } catch (IOException e) {
            throw new AssertionError("no end to " + new String(request, StandardCharsets.ISO_8859_1), e);
        }
        return came.toByteArray();
    }

    private static int requireAnswers(byte[] request, String came) {
        int answers = 0;
        Matcher start = START.matcher(came);
        int at = 0;
        while (at < came.length()) {
            assertThat(start.find(at) && start.start() == at)
                    .as("an answer at %d in %s", at, came)
                    .isTrue();
            int status = Integer.parseInt(start.group(1));
            assertThat(status < 500 || status == 501 || status == 505)
                    .as("%s to %s", new String(request, StandardCharsets.ISO_8859_1), came)
                    .isTrue();
            int body = came.indexOf("\r\n\r\n", at) + "\r\n\r\n".length();
            Matcher length = LENGTH.matcher(came.substring(at, body));
            at = body + (length.find() ? Integer.parseInt(length.group(1)) : 0);
            answers++;
        }
        return answers;
    }
}
