// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bench.ClosedLoop.Timing;
import dev.millrace.bench.HttpBench.Both;
import dev.millrace.bench.HttpMix.Alone;
import dev.millrace.bench.HttpMix.Loaded;
import dev.millrace.bench.HttpMix.Setting;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Machine;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.route.Value;
import dev.millrace.bench.wire.EchoServer;
import dev.millrace.bench.wire.HttpContestant;
import dev.millrace.bench.wire.Post;
import dev.millrace.bench.wire.Wrk;
import dev.millrace.memory.NativeMemory;
import dev.millrace.server.MillraceServer;
import dev.millrace.server.ServerConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// All models on one server, without `wrk`.
class HttpMixTest {
    private static final Effort TINY = new Effort("tiny", 1, 0, 1, 1, 1, 4, 1, 1, 1);
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    private static final String PATH = "/v2/models/" + BenchModels.IMAGES + "/infer";

    @TempDir
    Path temp;

    @Tag("slow")
    @Test
    void shouldLetAServerThroughTheGateWhenItAnswersAllModels() throws IOException {
        long before = NativeMemory.used();
        BenchModels.MLP.writeInto(temp);
        for (String name : Mix.HEAVY) {
            BenchModels.named(name).writeInto(temp);
        }
        ServerConfig config = ServerConfig.of(temp).withPort(0).withEventLoops(1);
        try (HttpMix bench = new HttpMix(TINY, SILENCE, temp.resolve("log"));
                MillraceServer server = MillraceServer.start(config);
                EchoServer echo =
                        EchoServer.start("{\"outputs\":[{\"name\":\"score\",\"shape\":[1,1],\"data\":[7.5]}]}")) {
            assertThatCode(() -> bench.check(server.port())).doesNotThrowAnyException();
            assertThatThrownBy(() -> bench.check(echo.port()))
                    .isInstanceOf(Gate.Refusal.class)
                    .hasMessageContaining("mlp-64-128-64-1 over HTTP, batch 1: row 0");
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @Test
    void shouldReadTheNameAndAllValuesOfAnAnswer() throws IOException {
        Post request = Post.json(PATH, "{}");
        try (EchoServer echo =
                        EchoServer.start("{\"outputs\":[{\"name\":\"logits\",\"shape\":[1,2],\"data\":[1,2.5]}]}");
                HttpContestant client = new HttpContestant(echo.port(), List.of(request))) {
            client.run(0);

            Value value = client.answers().getFirst();
            assertThat(value.name()).isEqualTo("logits");
            assertThat(value.shape()).containsExactly(1, 2);
            assertThat((float[]) value.array()).containsExactly(1, 2.5f);
        }
    }

    @Test
    void shouldAskForAllRowsInTheBackground() throws InterruptedException {
        Client one = new Client(3, Integer.MAX_VALUE);
        Client other = new Client(2, Integer.MAX_VALUE);
        try (var background =
                new HttpBackground(List.of(new HttpBackground.Client(one, 3), new HttpBackground.Client(other, 2)))) {
            one.enough.await();
            other.enough.await();
            assertThat(background.rows()).isPositive();
        }
        assertThat(one.next).isGreaterThanOrEqualTo(6);
        assertThat(other.next).isGreaterThanOrEqualTo(4);
    }

    @Test
    void shouldRefuseWhenARowIsNotAnsweredInTheBackground() throws InterruptedException {
        Client client = new Client(1, 1);
        HttpBackground background = new HttpBackground(List.of(new HttpBackground.Client(client, 1)));
        client.enough.await();

        assertThatThrownBy(background::close).isInstanceOf(Gate.Refusal.class).hasMessage("in the background: no more");
    }

    /// Wants to be asked for its rows in turn, and fails after some. Threads: one, and whoever awaits.
    private static final class Client implements Contestant {
        private final CountDownLatch enough;
        private final int rows;
        private final int last;
        private int next;

        Client(int rows, int last) {
            this.enough = new CountDownLatch(2 * rows);
            this.rows = rows;
            this.last = last;
        }

        @Override
        public void run(int index) {
            enough.countDown();
            if (next >= last) {
                throw new IllegalStateException("no more");
            }
            if (index != next % rows) {
                throw new IllegalStateException("row " + index + " after " + next + " rows");
            }
            next++;
        }

        @Override
        public List<Value> answers() {
            return List.of();
        }

        @Override
        public void close() {}
    }

    @Test
    void shouldReportAllModelsOnOneServer() {
        Alone alone = new Alone(
                new Timing(300_000, 310_000, 320_000),
                new Timing(700_000, 800_000, 900_000),
                new Timing(3_000_000, 4_000_000, 5_000_000));
        Both<Loaded> loaded = new Both<>(
                new Loaded(new Wrk.Load(20_000, 20, 200), 700), new Loaded(new Wrk.Load(1000, 50, 600), 600));
        HttpMix.Findings findings = new HttpMix.Findings(
                Map.of(BenchModels.MLP.name(), 785, BenchModels.IMAGES, 1_642_386),
                Map.of(BenchModels.IMAGES, List.of(alone)),
                Map.of(new Setting(HttpMix.Load.ALL, 8), List.of(loaded)));
        Results results = new Results(
                Instant.EPOCH,
                TINY,
                Machine.describe("abc"),
                Map.of(),
                Map.of(),
                Optional.empty(),
                Map.of(),
                Optional.empty(),
                List.of(new HttpMixReport(findings)));

        assertThat(MarkdownReport.of(results))
                .contains("| cnn-3x224x224 | 1,642,386 | 300 | 700 | 800 | 3,000 | 4,000 | 3.00 | 2,000 |")
                .contains("bodies of 785 bytes")
                .contains("| all three | 8 | Netty echo beside it: the floor | 20,000 | 20 | 200 | 1.00 | 1.00 | 700 |")
                .contains("| all three | 8 | Millrace, the same server | 1,000 | 50 | 600 | 2.50 | 3.00 | 600 |");
        assertThat(JsonReport.of(results))
                .contains("\"httpMix\" : {", "\"requestBytes\" : 1642386", "\"p999Nanos\" : 5000000.0")
                .contains("\"load\" : \"ALL\"", "\"server\" : \"echo\"", "\"heavyRowsPerSecond\" : 600.0");
    }
}
