// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetector.Level;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/// Frames at random, whole and damaged: every connection is answered or closed, no server fails, and no buffer is lost.
/// `-Dmillrace.fuzz.connections=3000` makes more of them.
class Http2FuzzTest {
    private static final int CONNECTIONS = Integer.getInteger("millrace.fuzz.connections", 150);
    private static final int MOST_FRAMES = 30;

    private final SplittableRandom random = new SplittableRandom(29);
    private final Logger detector = (Logger) LoggerFactory.getLogger(ResourceLeakDetector.class);
    private final ListAppender<ILoggingEvent> leaks = new ListAppender<>();
    private final Level level = ResourceLeakDetector.getLevel();

    @BeforeEach
    void lookForLeaks() {
        ResourceLeakDetector.setLevel(Level.PARANOID);
        leaks.start();
        detector.addAppender(leaks);
        detector.setAdditive(false);
    }

    @AfterEach
    void stopLooking() {
        ResourceLeakDetector.setLevel(level);
        detector.detachAppender(leaks);
        detector.setAdditive(true);
    }

    /// Loses a buffer on purpose. When that one was found, so would have been all that were lost before.
    private void findLeaks() {
        leak();
        while (leaks.list.isEmpty()) {
            System.gc();
            ByteBufAllocator.DEFAULT.directBuffer(16).release();
        }
        assertThat(leaks.list)
                .allSatisfy(found -> assertThat(found.getFormattedMessage()).contains("lost on purpose"));
    }

    private static void leak() {
        ByteBufAllocator.DEFAULT.directBuffer(16).touch("lost on purpose");
    }

    @Test
    void shouldSurviveAnyFrames() throws Exception {
        int closed = 0;
        try (TestServer server = TestServer.start(config -> config.withEventLoops(1))) {
            for (int i = 0; i < CONNECTIONS; i++) {
                try (Http2Client client = Http2Client.connect(server.port())) {
                    closed += send(client) ? 0 : 1;
                }
                if (i % 50 == 0) {
                    assertThat(server.infer("linear", Bodies.LINEAR).status()).isEqualTo(200);
                }
            }
            while (server.server().connections().size() > 1) {
                Thread.sleep(1);
            }
            assertThat(server.server().counters().answered(500)).isZero();
            assertThat(server.server().runtime().statistics()).allMatch(lane -> lane.inFlight() == 0);
        }
        assertThat(closed).isBetween(1, CONNECTIONS - 1);
        findLeaks();
    }

    /// Whether the connection is still good for a ping after random frames.
    private boolean send(Http2Client client) {
        int frames = random.nextInt(1, MOST_FRAMES);
        for (int i = 0; i < frames; i++) {
            frame(client, 2 * random.nextInt(i + 2) + 1);
        }
        byte[] bytes = client.unsent();
        // Behind the preface and the first settings.
        boolean damaged = random.nextInt(3) == 0 && bytes.length > 60;
        if (damaged) {
            int at = random.nextInt(60, bytes.length);
            bytes[at] ^= (byte) (1 << random.nextInt(8));
        }
        int length = random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length;
        try {
            int split = random.nextInt(length + 1);
            client.bytes(java.util.Arrays.copyOf(bytes, split)).flush();
            client.bytes(java.util.Arrays.copyOfRange(bytes, split, length)).flush();
            if (damaged || length < bytes.length || random.nextInt(4) == 0) {
                // What is sent now may be a part of something else.
                return true;
            }
            client.ping(1).flush();
            return client.isAnsweredOrClosed();
        } catch (UncheckedIOException _) {
            return false;
        }
    }

    private void frame(Http2Client client, int stream) {
        switch (random.nextInt(12)) {
            case 0 -> client.infer(stream, "linear", Bodies.LINEAR);
            case 1 -> client.infer(stream, "slow", Bodies.slow(random.nextInt(2000)));
            case 2 -> client.get(stream, "/v2/models/linear");
            case 3 -> client.headers(stream, Http2Client.head("POST", "/v2/models/linear/infer"), false);
            case 4 -> client.data(stream, Bodies.LINEAR, random.nextBoolean());
            case 5 -> client.reset(stream, random.nextInt(15));
            case 6 -> client.window(random.nextBoolean() ? 0 : stream, random.nextInt(1 << 20));
            case 7 -> client.settings(random.nextInt(8), random.nextInt(1 << 17));
            case 8 -> client.ping(random.nextLong());
            case 9 -> client.headers(stream, odd(), random.nextBoolean());
            case 10 -> client.infer(stream, "two_in", Bodies.LINEAR);
            default -> {
                byte[] payload = new byte[random.nextInt(40)];
                random.nextBytes(payload);
                client.frame(random.nextInt(12), random.nextInt(256), random.nextInt(4) * stream, payload);
            }
        }
    }

    private Http2Headers odd() {
        byte[] text = new byte[random.nextInt(1, 20)];
        random.nextBytes(text);
        String value = new String(text, StandardCharsets.ISO_8859_1);
        Http2Headers head = Http2Client.head("GET", "/v2");
        return switch (random.nextInt(5)) {
            case 0 -> Http2Client.head(value, "/v2");
            case 1 -> Http2Client.head("GET", value);
            case 2 -> head.add(value, value);
            case 3 -> head.add("content-length", Integer.toString(random.nextInt(300)));
            default -> head.add("expect", "100-continue");
        };
    }
}
