// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.conformance.MistakenServer.Mistake;
import dev.millrace.control.ControlConfig;
import dev.millrace.control.ControlMode;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The whole suite against this project's server, and against one that makes mistakes: a case that cannot fail would
/// prove nothing.
class SuiteTest {
    private static final Duration PATIENT = Duration.ofSeconds(60);
    private static final Duration IMPATIENT = Duration.ofMillis(500);

    /// What this project's server does not do yet. Cases of other extensions have to pass.
    private static final Set<String> PENDING_EXTENSIONS = Set.of();

    @TempDir
    static Path models;

    @TempDir
    static Path traces;

    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        Models.write(models);
        ControlConfig control =
                ControlConfig.DEFAULT.withMode(ControlMode.EXPLICIT).withStartUpModels(Set.of(ControlConfig.ALL));
        server = TestServer.start(
                _ -> ServerConfig.of(models).withPort(0).withControl(control).withTraceFolder(traces));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static List<Result> run(String url, String model, Duration timeout, List<Case> cases) throws Exception {
        return new Runner(Address.of(url, Map.of()), model, timeout).run(cases, _ -> {});
    }

    private static List<Result> run(String model, Duration timeout, Mistake mistake, String... only) throws Exception {
        try (MistakenServer mistaken = new MistakenServer(server.port(), mistake)) {
            return run(mistaken.url(), model, timeout, Suite.only(List.of(only)));
        }
    }

    private static boolean isPending(Case test) {
        return test.extension() != null && PENDING_EXTENSIONS.contains(test.extension());
    }

    @Test
    void shouldPassEveryCaseWhenTheServerIsOurs() throws Exception {
        List<Result> results = run(server.server().url(), null, PATIENT, Suite.cases());

        assertThat(results)
                .filteredOn(result -> !isPending(result.test()))
                .allSatisfy(result -> assertThat(result.verdict())
                        .as("%s", Report.line(result))
                        .isEqualTo(Verdict.PASSED));
        assertThat(results).hasSameSizeAs(Suite.cases());
    }

    @Test
    void shouldPassWhatCanBeTriedWhenTheModelIsKnownByItsMetadataOnly() throws Exception {
        List<Result> results = run(server.server().url(), Models.CLASSES, PATIENT, Suite.cases());

        assertThat(results)
                .filteredOn(result -> !isPending(result.test()) && result.verdict() != Verdict.PASSED)
                .extracting(Report::line)
                .singleElement()
                .asString()
                .contains("binary.mixed", "the model has no two inputs and outputs");
    }

    @Test
    void shouldPassEveryCaseWhenNoMistakeIsMade() throws Exception {
        List<Result> results = run(null, PATIENT, new Mistake() {});

        assertThat(results)
                .filteredOn(result -> !isPending(result.test()))
                .allSatisfy(result -> assertThat(result.verdict())
                        .as("%s", Report.line(result))
                        .isEqualTo(Verdict.PASSED));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("dev.millrace.conformance.Mistakes#all")
    void shouldFailTheRightCasesWhenAMistakeIsMade(String name, Mistake mistake, String cases) throws Exception {
        String[] ids = cases.split(" ");
        assumeTrue(Suite.only(List.of(ids)).stream().noneMatch(SuiteTest::isPending), "an extension is not there yet");

        List<Result> results = run(null, PATIENT, mistake, ids);

        assertThat(results).hasSameSizeAs(ids).allSatisfy(result -> {
            assertThat(result.verdict())
                    .as("%s: %s", name, Report.line(result))
                    .isEqualTo(result.test().level().unmet());
            assertThat(result.note()).doesNotContain("the case itself failed", "no answer");
        });
    }

    @Test
    void shouldFailAndGoOnWhenTheServerHangs() throws Exception {
        Mistake hang = Mistakes.answering((query, good) -> query.path().contains("no_such_model") ? null : good);

        List<Result> results = run(null, IMPATIENT, hang, "model.unknown", "infer.flat", "model.ready");

        assertThat(results).extracting(Result::verdict).containsExactly(Verdict.FAILED, Verdict.PASSED, Verdict.FAILED);
        assertThat(results.getFirst().note()).isIn("no answer within 500 ms", "no answer: Read timed out");
    }

    @Test
    void shouldFailWhenAnAnswerIsNoHttp() throws Exception {
        try (ServerSocket strange = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            Thread answering = Thread.ofVirtual().start(() -> speak(strange));

            List<Result> results = run(
                    "http://127.0.0.1:" + strange.getLocalPort(),
                    null,
                    IMPATIENT,
                    Suite.only(List.of("server.metadata", "server.health")));

            assertThat(results).extracting(Result::verdict).containsOnly(Verdict.FAILED);
            answering.interrupt();
        }
    }

    private static void speak(ServerSocket strange) {
        try {
            while (true) {
                try (java.net.Socket socket = strange.accept()) {
                    socket.getOutputStream().write("220 hello\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
                }
            }
        } catch (IOException _) {
            // closed
        }
    }

    @Test
    void shouldSkipWithAReasonWhenAModelIsNotThere() throws Exception {
        Mistake without =
                Mistakes.asking(query -> query.withPath(query.path().replace("conformance_identity", "other")));

        List<Result> results = run(null, PATIENT, without, "values", "infer.flat");

        assertThat(results.getLast().verdict()).isEqualTo(Verdict.PASSED);
        assertThat(results.subList(0, results.size() - 1)).allSatisfy(result -> {
            assertThat(result.verdict()).isEqualTo(Verdict.SKIPPED);
            assertThat(result.note()).contains("does not serve the model 'conformance_identity", "--write-models");
        });
    }

    @Test
    void shouldSkipWhenAnExtensionIsNotListed() throws Exception {
        Mistake modest = Mistakes.describing("/v2", text -> text.replaceAll("\\[.*]", "[]"));

        List<Result> results = run(null, PATIENT, modest, "binary", "statistics");

        assertThat(results).extracting(Result::verdict).containsOnly(Verdict.SKIPPED);
        assertThat(results.getFirst().note()).contains("does not list the extension binary_tensor_data");
    }

    @Test
    void shouldPassWithANoteWhenAnotherWayIsAllowed() throws Exception {
        Mistake triton = Mistakes.answering((query, good) ->
                query.text().contains("FP16") || query.text().contains("NaN") ? MistakenServer.error(400) : good);
        Mistake unprocessable = Mistakes.answering((query, good) -> good.status() == 400 ? good.withStatus(422) : good);

        assertThat(run(null, PATIENT, triton, "values.fp16", "values.not-finite"))
                .allSatisfy(result -> {
                    assertThat(result.verdict()).isEqualTo(Verdict.PASSED);
                    assertThat(result.note()).isNotEmpty();
                });
        assertThat(run(null, PATIENT, unprocessable, "infer.missing-input")).allSatisfy(result -> {
            assertThat(result.verdict()).isEqualTo(Verdict.PASSED);
            assertThat(result.note()).isEqualTo("422 in place of 400");
        });
    }

    @Test
    void shouldNumberCasesOnceAndNameThemOnce() {
        List<Case> cases = Suite.cases();

        assertThat(cases).extracting(Case::id).doesNotHaveDuplicates();
        List<Integer> numbers = new ArrayList<>();
        for (int number = 1; number <= cases.size(); number++) {
            numbers.add(number);
        }
        assertThat(cases).extracting(Case::number).isEqualTo(numbers);
    }

    @Test
    void shouldHaveAMistakeForEveryCase() {
        Set<String> tried = new java.util.TreeSet<>();
        Mistakes.all().forEach(mistake -> tried.addAll(Arrays.asList(((String) mistake.get()[2]).split(" "))));

        assertThat(Suite.cases()).extracting(Case::id).isSubsetOf(tried);
    }

    @Test
    void shouldChooseCasesByNumberRangeIdAndGroup() {
        assertThat(Suite.only(List.of("3", "10-12", "http.split", "server")))
                .extracting(Case::number)
                .containsExactly(3, 10, 11, 12, 51, 1, 2, 4);
        assertThatThrownBy(() -> Suite.only(List.of("nothing")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("there is no case 'nothing'");
    }
}
