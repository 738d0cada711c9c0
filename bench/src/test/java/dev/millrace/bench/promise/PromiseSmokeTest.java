// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.memory.NativeMemory;
import dev.millrace.server.MillraceServer;
import dev.millrace.server.ServerConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every part runs for a moment, so that it cannot rot. What it measures here says nothing.
class PromiseSmokeTest {
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    private long before;

    @BeforeEach
    void countMemory() {
        before = NativeMemory.used();
    }

    @AfterEach
    void shouldFreeAllMemory() {
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    @Tag("slow")
    @Test
    void shouldMeasureOverloads() throws IOException {
        List<Overload.Trial> trials = new ArrayList<>();
        for (Overload.Who who : Overload.Who.values()) {
            trials.add(new Overload.Trial(who, Duration.ofMillis(10), 2));
        }
        Overload.Findings findings;
        try (Overload bench = new Overload(1, 8, SILENCE)) {
            findings = bench.measure(trials);
        }

        assertThat(Overload.trials()).extracting(Overload.Trial::who).contains(Overload.Who.values());
        assertThat(findings.trials())
                .hasSize(4)
                .allSatisfy((_, results) -> assertThat(results).singleElement().satisfies(result -> {
                    assertThat(result.capacity()).isPositive();
                    Account during = result.during();
                    assertThat(during.offered()).isEqualTo(during.refused() + during.answered() + during.expired());
                    assertThat(during.lateness().count()).isEqualTo(during.offered());
                }));
        Section report = new OverloadReport(findings);
        assertThat(report.markdown())
                .contains("- model: cnn-1x16x16, ", "| Millrace, told the deadlines | 10 | 2.0 | ", "| not seen | ");
        assertThat(json(report))
                .contains("\"who\":\"SHORT_QUEUE\"", "\"recoveryNanos\":null", "\"residentMebibytes\":");
    }

    @Tag("slow")
    @Test
    void shouldMeasureOverloadsOverHttp() throws IOException {
        OverloadHttp.Findings findings;
        try (OverloadHttp bench = new OverloadHttp(1, 4, SILENCE, PromiseSmokeTest::start)) {
            findings = bench.measure(List.of(new OverloadHttp.Trial(Duration.ofMillis(50), true, 1)));
        }

        assertThat(findings.requestBytes()).isBetween(2000, 4000);
        assertThat(findings.trials())
                .hasSize(1)
                .allSatisfy((_, results) ->
                        assertThat(results.getFirst().capacity()).isPositive());
        Section report = new OverloadHttpReport(findings);
        assertThat(report.markdown()).contains("- model: cnn-1x16x16; over HTTP ", "| 50 | yes | 1.0 | ");
        assertThat(json(report)).contains("\"named\":true", "\"residentMebibytesAfter\":7.5");
    }

    @Test
    void shouldMeasureDeadlines() throws IOException {
        Deadlines.All all;
        try (Deadlines bench = new Deadlines(1, 10, SILENCE)) {
            all = bench.all();
        }

        assertThat(all.trials())
                .hasSize(4)
                .allSatisfy((trial, findings) -> assertThat(
                                findings.late().count() + findings.refused() + findings.answered())
                        .as(trial.toString())
                        .isEqualTo(all.requests()));
        Section report = new DeadlinesReport(all);
        assertThat(report.markdown())
                .contains("A run takes 10 ms", "| waiting behind a long run | one free | ", "| all busy | ");
        assertThat(json(report)).contains("\"where\":\"RUNNING\",\"saturated\":true");
    }

    @Test
    void shouldMeasureIsolation() throws IOException {
        Isolation.Findings findings;
        try (Isolation bench = new Isolation(1, 10, SILENCE, PromiseSmokeTest::start)) {
            findings = bench.all();
        }

        assertThat(findings.rounds())
                .containsOnlyKeys(Isolation.Way.values())
                .allSatisfy((_, rounds) -> assertThat(rounds).singleElement().satisfies(round -> {
                    assertThat(round.alone().p50()).isPositive();
                    assertThat(round.heavyRowsPerSecond()).isPositive();
                }));
        Section report = new IsolationReport(findings);
        assertThat(report.markdown()).contains("fraud is asked one row at a time", "| HTTP, a connection each | ");
        assertThat(json(report)).contains("\"way\":\"CALL\"", "\"p999Nanos\":");
    }

    @Tag("slow")
    @Test
    void shouldMeasureLoads(@TempDir Path temp) throws IOException {
        Server.Starter servers = arguments -> ServerProcess.startMillrace(temp.resolve("server.log"), arguments);
        Loading.Findings findings;
        try (Loading bench = new Loading(1, 100, SILENCE, servers, 8, 16, 1)) {
            findings = bench.all();
        }

        assertThat(findings.largeBytes()).isBetween(4L * (8 * 16 + 16 + 16 + 1), 1400L);
        assertThat(findings.rounds())
                .containsOnlyKeys(Loading.Way.values())
                .allSatisfy((_, rounds) -> assertThat(rounds).singleElement().satisfies(round -> {
                    assertThat(round.alone().nanos()).isNotEmpty();
                    assertThat(round.beside().nanos()).isNotEmpty();
                    assertThat(round.alone().failed() + round.beside().failed()).isZero();
                    assertThat(round.loadNanos()).isNotEmpty();
                }));
        Section report = new LoadingReport(findings);
        assertThat(report.markdown()).contains("| loaded without a trial | ", "| p99 beside / alone | ");
        assertThat(json(report)).contains("\"way\":\"TRIED\"", "\"loadNanos\":[");
    }

    @Test
    void shouldSayThatLoadsDisturb() {
        PacedLines.Answers alone = new PacedLines.Answers(new long[] {10, 10}, 0, 0, "", 1);
        PacedLines.Answers close = new PacedLines.Answers(new long[] {10, 30}, 0, 0, "", 1);
        PacedLines.Answers far = new PacedLines.Answers(new long[] {10, 31}, 1, 1, "429 ", 1);
        assertThat(broken(new Loading.Round(alone, close, new long[] {1}))).isEmpty();
        assertThat(broken(new Loading.Round(alone, far, new long[] {1})))
                .isEqualTo("loaded without a trial: 1 requests failed, p99 was 3.1 times what it is without loads.");
    }

    private static String broken(Loading.Round round) {
        Map<Loading.Way, Double> rates = Map.of(Loading.Way.UNTRIED, 1.0);
        return new LoadingReport(new Loading.Findings("light", 1, rates, Map.of(Loading.Way.UNTRIED, List.of(round))))
                .broken();
    }

    @Test
    void shouldReadAnswersOfAServer() throws IOException {
        try (Fixture fixture = Fixture.open(BenchModels.MLP);
                Server server =
                        start(List.of("--model-repository", fixture.repository().toString()));
                Connection connection = new Connection(server.port(), true)) {
            Questions questions = new Questions(fixture);
            float[] row = questions.row(3);
            assertThat(connection.exchange(HttpStation.request(fixture, Station.NO_TIMEOUT, row)))
                    .isEqualTo(200);
            assertThat(questions.isRight(3, connection.first())).isTrue();
            assertThat(questions.isRight(4, connection.first())).isFalse();

            ByteBuffer other =
                    Connection.request("none", "features", new long[] {1, row.length}, new float[][] {row}, 5_000_000);
            assertThat(StandardCharsets.US_ASCII.decode(other.duplicate()).toString())
                    .contains("{\"parameters\":{\"timeout\":5000},");
            assertThat(connection.exchange(other)).isEqualTo(404);
            assertThat(connection.body()).startsWith("{\"error\":\"");
            assertThatThrownBy(connection::first).isInstanceOf(IOException.class);
        }
    }

    private static String json(Section section) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            section.write(json);
            json.writeEndObject();
        }
        return text.toString();
    }

    /// A server in this process, over the repositories that the arguments name.
    private static Server start(List<String> arguments) throws IOException {
        List<Path> repositories = new ArrayList<>();
        for (int i = 0; i + 1 < arguments.size(); i++) {
            if (arguments.get(i).equals("--model-repository")) {
                repositories.add(Path.of(arguments.get(i + 1)));
            }
        }
        MillraceServer server = MillraceServer.start(
                ServerConfig.of(repositories.toArray(Path[]::new)).withPort(0).withEventLoops(1));
        return new Server() {
            @Override
            public int port() {
                return server.port();
            }

            @Override
            public double residentMebibytes() {
                return 7.5;
            }

            @Override
            public void close() {
                server.close();
            }
        };
    }
}
