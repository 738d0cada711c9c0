// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Against servers that answer every request in the same way, good or bad.
class LoadRunTest {
    private static final long MS = 1_000_000;

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger connections = new AtomicInteger();
    private ServerSocket listener;

    @BeforeEach
    void listen() throws IOException {
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void stop() throws IOException {
        listener.close();
        threads.shutdownNow();
    }

    /// @param answer the bytes, `|` for a new line; nothing for a server that does not answer
    /// @param closes whether it closes the connection after each
    private void serve(String answer, boolean closes) {
        byte[] bytes = answer.replace("|", "\r\n").getBytes(ISO_8859_1);
        var _ = threads.submit(() -> {
            while (!listener.isClosed()) {
                Socket socket = listener.accept();
                connections.incrementAndGet();
                var _ = threads.submit(() -> answer(socket, bytes, closes));
            }
            return null;
        });
    }

    private static Void answer(Socket socket, byte[] answer, boolean closes) throws IOException {
        try (socket;
                BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), ISO_8859_1));
                OutputStream out = socket.getOutputStream()) {
            do {
                String line = in.readLine();
                while (line != null && !line.isEmpty()) {
                    line = in.readLine();
                }
                if (line == null || in.read() < 0 || in.read() < 0) {
                    return null;
                }
                out.write(answer);
            } while (!closes);
        }
        return null;
    }

    private LoadResult run(LoadPlan plan) throws Exception {
        Target target = Target.of("http://127.0.0.1:" + listener.getLocalPort(), "m", null);
        try (Requests requests = new Requests(target, Map.of(), List.of("{}".getBytes(ISO_8859_1)))) {
            return LoadRun.run(target, plan, requests, 0, _ -> {});
        }
    }

    private static LoadPlan open(double rate) {
        return new LoadPlan(rate, 4, 0, 200 * MS, 20_000 * MS, 3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "HTTP/1.1 200 OK|Content-Length: 2||{}; false",
                "HTTP/1.1 200 OK|Transfer-Encoding: chunked||2|{}|0||; false",
                "HTTP/1.1 200 OK|Connection: close|Content-Length: 2||{}; true",
                "HTTP/1.1 200 OK||until the end; true",
            })
    void shouldUnderstandEveryKindOfAnswer(String answer, boolean closes) throws Exception {
        serve(answer, closes);

        LoadResult result = run(open(200));

        assertThat(result.arrivals()).isPositive();
        assertThat(result.successes()).isEqualTo(result.arrivals());
        assertThat(result.failures()).isZero();
        assertThat(result.latency().getTotalCount()).isEqualTo(result.arrivals());
        assertThat(result.lateness().getTotalCount()).isEqualTo(result.arrivals());
        // One more for each line that is opened again at the end, perhaps not accepted yet.
        assertThat(connections.get()).isGreaterThanOrEqualTo(closes ? (int) result.arrivals() : 4);
    }

    @Test
    void shouldKeepEveryConnectionBusyWhenTheLoopIsClosed() throws Exception {
        serve("HTTP/1.1 200 OK|Content-Length: 2||{}", false);

        LoadResult result = run(open(0));

        assertThat(result.successes()).isEqualTo(result.arrivals()).isGreaterThan(4);
        assertThat(result.waits()).isZero();
    }

    @Test
    void shouldKeepWhatTheFirstRefusalSays() throws Exception {
        serve("HTTP/1.1 503 Full|Content-Length: 6||queue!", false);

        LoadResult result = run(open(200));

        assertThat(result.refusals()).isEqualTo(result.arrivals()).isPositive();
        assertThat(result.firstRefusal()).isEqualTo("503 queue!");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "SSH-2.0-nobody|; no HTTP/1.1",
                "HTTP/1.1 200 OK|Content-Length: 99||cut; connection closed by the server",
                "HTTP/1.1 200 OK|Content-Length: 2||{}surplus; more came than one answer",
            })
    void shouldCountWhatIsLost(String answer, String reason) throws Exception {
        serve(answer, true);

        LoadResult result = run(open(200));

        assertThat(result.lost()).isEqualTo(result.arrivals()).isPositive();
        assertThat(result.errors().keySet()).singleElement().asString().contains(reason);
    }

    @Test
    void shouldGiveUpWhenNobodyAnswers() throws Exception {
        serve("", false);

        LoadResult result = run(new LoadPlan(200, 2, 0, 100 * MS, 50 * MS, 3));

        assertThat(result.timeouts()).isEqualTo(result.arrivals()).isPositive();
        assertThat(result.latency().getMinValue()).isGreaterThan(49 * MS);
    }

    @Test
    void shouldEndEarlyWhenTheBoundIsLost() throws Exception {
        serve("", false);
        Target target = Target.of("http://127.0.0.1:" + listener.getLocalPort(), "m", null);
        LoadPlan plan = new LoadPlan(2000, 2, 0, 60_000 * MS, 10 * MS, 3);
        try (Requests requests = new Requests(target, Map.of(), List.of("{}".getBytes(ISO_8859_1)))) {
            LoadResult result = LoadRun.run(target, plan, requests, 5 * MS, _ -> {});

            assertThat(result.isStoppedEarly()).isTrue();
            assertThat(result.holds(5 * MS)).isFalse();
            assertThat(result.arrivals()).isLessThan(60 * 2000);
        }
    }

    @Test
    void shouldSayWhenItCannotConnect() throws Exception {
        listener.close();

        assertThatThrownBy(() -> run(open(10)))
                .isInstanceOf(LoadException.class)
                .hasMessageStartingWith("cannot open 4 connections to http://127.0.0.1:" + listener.getLocalPort());
    }
}
