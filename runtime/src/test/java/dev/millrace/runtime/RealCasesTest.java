// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.millrace.memory.NativeMemory;
import dev.millrace.runtime.Cases.Case;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Real models, answered in every way that the library has, against the answers of another engine.
///
/// The folder named by the system property `millrace.cases` holds cases called `MODEL.CASE`, their models lie in
/// `../models/MODEL.onnx`. The example models bring cases of their own.
class RealCasesTest {
    private static final int TOGETHER = 5;

    @TempDir
    Path temp;

    private long memoryBefore;

    @BeforeEach
    void measureMemory() {
        memoryBefore = NativeMemory.used();
    }

    @AfterEach
    void everythingIsFreed() {
        assertThat(NativeMemory.used()).isEqualTo(memoryBefore);
    }

    @Test
    void shouldAnswerAsTheOtherEngineDidWhenAskedInEveryWay() throws Exception {
        List<Case> cases = kept();
        try (Millrace millrace = Millrace.open(repositoryOf(cases))) {
            answerAll(millrace, cases);
        }
    }

    @Test
    void shouldKeepStateWhenItsOwnAnswerIsFedBack() throws Exception {
        List<Case> chunks =
                kept().stream().filter(c -> c.model().equals("silero_vad")).toList();
        assertThat(chunks).hasSizeGreaterThan(10);
        try (Millrace millrace = Millrace.open(repositoryOf(chunks));
                Call call = millrace.model("silero_vad").call()) {
            Model model = millrace.model("silero_vad");
            float[] state = null;
            boolean first = true;
            for (Case chunk : chunks) {
                Case next = first ? chunk : chunk.with("state", state);
                Prediction prediction = model.predict(next.request(model));
                check(chunk, "own state", () -> next.expected().check(model.signature(), prediction));
                state = prediction.floats("stateN");

                (first ? chunk : chunk.with("state", state(call))).fill(call);
                first = false;
                assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);
                check(chunk, "own state, one call", () -> next.expected().check(call));
            }
        }
    }

    private static float[] state(Call call) {
        float[] state = new float[(int) call.output("stateN").elementCount()];
        call.output("stateN").getFloats(0, state, 0, state.length);
        return state;
    }

    @Test
    void shouldReadTheDigitThatWasDrawn() throws Exception {
        List<Case> digits =
                kept().stream().filter(c -> c.model().equals("mnist")).toList();
        assertThat(digits).hasSize(10);
        try (Millrace millrace = Millrace.open(repositoryOf(digits))) {
            Model model = millrace.model("mnist");
            for (Case digit : digits) {
                float[] scores = model.predict(digit.request(model)).floats("Plus214_Output_0");
                int best = 0;
                for (int i = 1; i < scores.length; i++) {
                    best = scores[i] > scores[best] ? i : best;
                }
                assertThat(digit.name()).isEqualTo("mnist.digit" + best);
            }
        }
    }

    @Test
    void shouldAnswerTheExampleModelsAsTheirGoldensSay() throws Exception {
        Path zoo = zoo();
        assumeTrue(Files.isDirectory(zoo), "no example models in " + zoo);
        try (Millrace millrace = Millrace.open(zoo)) {
            List<Case> cases = new ArrayList<>();
            for (ModelStatus status : millrace.status()) {
                assertThat(status.ready())
                        .as(status.model() + ": " + status.reason())
                        .isTrue();
                if (status.model().endsWith("-int8")) {
                    continue; // what those answer depends on the processor; they are compared with the others elsewhere
                }
                Path goldens = zoo.resolve(status.model(), Long.toString(status.version()), "goldens");
                List<Case> own = Files.isDirectory(goldens) ? Cases.in(goldens) : List.of();
                assertThat(own).as(goldens.toString()).isNotEmpty();
                assertThat(own).as(goldens.toString()).allMatch(c -> c.model().equals(status.model()));
                cases.addAll(own);
            }
            answerAll(millrace, cases);
        }
    }

    private static void answerAll(Millrace millrace, List<Case> cases) throws Exception {
        assertThat(cases).isNotEmpty();
        for (Case c : cases) {
            Model model = millrace.model(c.model());
            check(c, "predict", () -> c.expected().check(model.signature(), model.predict(c.request(model))));
            check(c, "predictAsync", () -> c.expected().check(model.signature(), later(model, c)));
            check(c, "a reused call", () -> runTwice(model, c));
            check(c, "calls submitted together", () -> submitTogether(model, c));
        }
        for (LaneStatistics statistics : millrace.statistics()) {
            Map<Outcome, Long> ended = statistics.ended();
            assertThat(ended.get(Outcome.OK)).as(statistics.toString()).isEqualTo(statistics.accepted());
            assertThat(statistics.inFlight()).as(statistics.toString()).isZero();
        }
    }

    private static Prediction later(Model model, Case c) {
        try {
            return model.predictAsync(c.request(model)).get();
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    private static void runTwice(Model model, Case c) {
        try (Call call = model.call()) {
            c.fill(call);
            for (int run = 0; run < 2; run++) {
                assertThat(call.run()).as(call.message()).isEqualTo(Outcome.OK);
                c.expected().check(call);
            }
        }
    }

    private static void submitTogether(Model model, Case c) {
        List<Call> calls = new ArrayList<>();
        CountDownLatch ended = new CountDownLatch(TOGETHER);
        try {
            for (int i = 0; i < TOGETHER; i++) {
                Call call = model.call();
                calls.add(call);
                c.fill(call);
                Outcome accepted = call.submit((_, _) -> ended.countDown());
                assertThat(accepted).as(call.message()).isEqualTo(Outcome.OK);
            }
            ended.await();
            for (Call call : calls) {
                assertThat(call.outcome()).as(call.message()).isEqualTo(Outcome.OK);
                c.expected().check(call);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        } finally {
            calls.forEach(Call::close);
        }
    }

    private static void check(Case c, String way, Runnable check) {
        try {
            check.run();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(c.name() + " by " + way + ": " + e.getMessage(), e);
        }
    }

    private static List<Case> kept() throws IOException {
        String folder = System.getProperty("millrace.cases", "");
        assumeTrue(!folder.isEmpty(), "no cases: the system property millrace.cases names no folder");
        return Cases.in(Path.of(folder));
    }

    private Path repositoryOf(List<Case> cases) throws IOException {
        Path models = Path.of(System.getProperty("millrace.cases")).resolveSibling("models");
        for (String model : new TreeSet<>(cases.stream().map(Case::model).toList())) {
            Path version = Files.createDirectories(temp.resolve(model, "1"));
            Files.copy(models.resolve(model + ".onnx"), version.resolve("model.onnx"));
        }
        return temp;
    }

    private static Path zoo() {
        return Stream.iterate(Path.of("").toAbsolutePath(), folder -> folder != null, Path::getParent)
                .filter(folder -> Files.isRegularFile(folder.resolve("models/pom.xml")))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "no models module above " + Path.of("").toAbsolutePath()))
                .resolve("models/zoo");
    }
}
