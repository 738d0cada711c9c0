// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.promise.Server;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.memory.NativeMemory;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every part runs for a moment, so that it cannot rot. What it measures here says nothing.
class GuardSmokeTest {
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    @TempDir
    Path temp;

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
    void shouldMeasurePriorities() throws IOException {
        Priorities.Findings findings;
        try (Priorities bench = new Priorities(1, 40, SILENCE, this::start)) {
            findings = bench.all();
        }

        assertThat(findings.trials())
                .containsOnlyKeys(Priorities.trials())
                .allSatisfy((_, results) -> assertThat(results).singleElement().satisfies(result -> {
                    assertThat(result.capacity()).isPositive();
                    assertThat(result.high().offered()).isPositive();
                    assertThat(result.low().offered()).isPositive();
                }));
        assertThat(findings.shares())
                .containsOnlyKeys(Shares.weights())
                .allSatisfy((_, shares) -> assertThat(shares)
                        .singleElement()
                        .satisfies(share -> assertThat(share.part()).isBetween(0.01, 0.99)));
        assertThat(findings.clients().together())
                .hasSameSizeAs(ClientLimits.clients())
                .allSatisfy(result -> {
                    assertThat(result.answeredRows()).isPositive();
                    assertThat(result.failed()).isZero();
                    assertThat(result.kept()).isLessThanOrEqualTo(1);
                });
        Section report = new PrioritiesReport(findings);
        assertThat(report.markdown()).contains("| 1.5 | 0.5 | ", "| 1 : 3 | 0.25 | ", "| batches | 16 | 4,000 | ");
        assertThat(json(report)).contains("\"highLoad\":0.5", "\"firstNanos\":", "\"client\":\"modest\"");
    }

    @Tag("slow")
    @Test
    void shouldMeasureRowsThatFail() throws IOException {
        Failing.Findings findings = new Failing(1, SILENCE).all(3, 100_000_000);

        assertThat(findings.batches()).containsOnlyKeys(1, 2, 8);
        Failing.Batches one = findings.batches().get(1);
        assertThat(one.answered()).isEqualTo(3 * 63);
        assertThat(one.failedMates()).isZero();
        assertThat(one.splits()).isEqualTo(3 * 6);
        assertThat(findings.troubles())
                .extracting(Failing.Troubles::withBreaker)
                .containsExactly(true, false);
        Failing.Troubles tripped = findings.troubles().getFirst();
        assertThat(tripped.failedBefore()).isBetween(5, 6);
        assertThat(tripped.opened()).isEqualTo(1);
        assertThat(tripped.openLater()).isFalse();
        assertThat(tripped.answeredAt()).isGreaterThan(tripped.goodAt());
        Section report = new FailingReport(findings);
        assertThat(report.markdown()).contains("| 1 | 3 | 189 | 0 | 6.0 | ", "| after 5 failures | ", "| none | ");
        assertThat(json(report)).contains("\"badRows\":8", "\"withBreaker\":true");
    }

    @Tag("slow")
    @Test
    void shouldMeasureAServerWithLittleMemory() throws IOException {
        Server.Starter servers = arguments ->
                ServerProcess.startMillrace(temp.resolve("server.log"), MemoryLoad.jvmOptions(), arguments);
        MemoryLoad.Findings findings;
        try (MemoryLoad bench = new MemoryLoad(300, SILENCE, servers, 8, 8192, 4096, 1)) {
            findings = bench.all();
        }

        assertThat(findings.limits()).containsKeys("models", "tensors", "heap");
        assertThat(findings.idle().resident()).isPositive();
        assertThat(findings.bySize()).hasSize(6);
        assertThat(findings.afterwards()).isEqualTo(200);
        assertThat(findings.refusal()).contains("load of large was answered ");
        Section report = new MemoryReport(findings);
        assertThat(report.markdown()).contains("| in RAM | 648 | ", "| booked: tensors | 48.0 | ");
        assertThat(json(report)).contains("\"limitMebibytes\":648", "\"told\":");
    }

    @Tag("slow")
    @Test
    void shouldMeasureBadClients() throws IOException {
        BackPressure.Findings findings;
        try (BackPressure bench = new BackPressure(3, 100, SILENCE, this::start)) {
            findings = bench.all();
        }

        assertThat(findings.kinds())
                .containsOnlyKeys(BackPressure.Kind.values())
                .allSatisfy((kind, result) -> {
                    assertThat(result.cut().count()).as(kind.title()).isEqualTo(3);
                    assertThat(result.left()).as(kind.title()).isZero();
                    assertThat(result.others().failed()).as(kind.title()).isZero();
                });
        assertThat(findings.kinds().get(BackPressure.Kind.SLOW_HEAD).told()).isEqualTo(3);
        Section report = new BackPressureReport(findings);
        assertThat(report.markdown()).contains("| asks on and on, and never reads | 3 | `--write-timeout 2s` | 3 | ");
        assertThat(json(report)).contains("\"kind\":\"SILENT\"", "\"sentBytes\":");
    }

    private Server start(List<String> arguments) throws IOException {
        return ServerProcess.startMillrace(temp.resolve("server.log"), arguments);
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
}
