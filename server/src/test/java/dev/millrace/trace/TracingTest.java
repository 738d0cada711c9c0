// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Call;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Outcome;
import dev.millrace.server.JsonTree;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Which requests are traced, and what becomes of their traces.
class TracingTest {
    private static final String MODEL = "linear";

    private static Millrace millrace;
    private static Call call;

    @TempDir
    Path folder;

    private Tracing tracing;

    @BeforeAll
    static void run() {
        millrace = Millrace.open(TestServer.models());
        call = millrace.model(MODEL).call();
        call.input(0).putFloats(new float[] {1, 2, 3, 4});
        assertThat(call.begin(true).run()).isEqualTo(Outcome.OK);
        call.encoding();
        call.encoded();
        assertThat(call.timing().isComplete()).isTrue();
    }

    @AfterAll
    static void stop() {
        call.close();
        millrace.close();
    }

    @AfterEach
    void close() {
        if (tracing != null) {
            tracing.close();
        }
    }

    private void into(Path where) {
        tracing = Tracing.into(where);
    }

    private void set(String model, Object... settings) {
        Map<Setting, Optional<String>> change = new EnumMap<>(Setting.class);
        for (int i = 0; i < settings.length; i += 2) {
            change.put((Setting) settings[i], Optional.ofNullable((String) settings[i + 1]));
        }
        tracing.change(model, change);
    }

    private int drawn(String model, int requests) {
        int drawn = 0;
        for (int i = 0; i < requests; i++) {
            drawn += tracing.draw(model) != null ? 1 : 0;
        }
        return drawn;
    }

    private JsonTree read(String file) throws IOException {
        return JsonTree.parse(Files.readString(folder.resolve(file)));
    }

    private void answer(String model, int requests) {
        for (int i = 0; i < requests; i++) {
            Sampling sampling = tracing.draw(model);
            if (sampling != null) {
                sampling.answered(FrontEnd.HTTP, call, "id" + i);
            }
        }
    }

    @Test
    void shouldNotMakeTextsOfTensorsThatAreTooLarge() {
        assertThat(TracedTensors.of(call, 24).objects()).hasSize(2);
        assertThat(TracedTensors.of(call, 23)).isNull();
    }

    @Test
    void shouldForgetWhatTensorsTakeOnceTheyAreWritten() throws IOException {
        into(folder);
        set(MODEL, Setting.TRACE_LEVEL, "TENSORS", Setting.TRACE_RATE, "1", Setting.TRACE_FILE, "t.json");
        answer(MODEL, 20);
        set(MODEL, Setting.TRACE_LEVEL, null);
        assertThat(read("t.json").elements()).hasSize(60);
        assertThat(tracing.dropped()).isZero();
        assertThat(tracing.waitingBytes()).isZero();
    }

    @Test
    void shouldDrawNothingWhenOffOrWithoutAFolder() {
        into(folder);
        assertThat(drawn(MODEL, 5000)).isZero();
        tracing.close();

        into(null);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "1");
        assertThat(drawn(MODEL, 10)).isZero();
    }

    @Test
    void shouldDrawOneOfTheRateAndNoMoreThanTheCount() {
        into(folder);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "3", Setting.TRACE_COUNT, "4");

        assertThat(drawn(MODEL, 9)).isEqualTo(3);
        assertThat(tracing.settings(null)).containsEntry(Setting.TRACE_COUNT, "1");
        assertThat(drawn("other", 9)).isOne();
        assertThat(drawn(MODEL, 100)).isZero();
        assertThat(tracing.settings(MODEL)).containsEntry(Setting.TRACE_COUNT, "0");
    }

    @Test
    void shouldGoOnCountingUntilTheCountIsSetAgain() {
        into(folder);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "1", Setting.TRACE_COUNT, "5");
        assertThat(drawn(MODEL, 2)).isEqualTo(2);

        set(null, Setting.TRACE_RATE, "2");
        assertThat(drawn(MODEL, 20)).isEqualTo(3);
        set(null, Setting.TRACE_COUNT, "5");
        assertThat(drawn(MODEL, 20)).isEqualTo(5);
        set(null, Setting.TRACE_COUNT, null);
        assertThat(drawn(MODEL, 20)).isEqualTo(10);
    }

    @Test
    void shouldPreferAModelsOwnSettingsUntilTheyAreTakenBack() {
        into(folder);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "2");
        set(MODEL, Setting.TRACE_RATE, "1", Setting.TRACE_FILE, "own.json");

        assertThat(drawn(MODEL, 10)).isEqualTo(10);
        assertThat(drawn("other", 10)).isEqualTo(5);
        assertThat(tracing.settings(MODEL))
                .containsEntry(Setting.TRACE_LEVEL, "TIMESTAMPS")
                .containsEntry(Setting.TRACE_FILE, "own.json");
        set(null, Setting.TRACE_LEVEL, "OFF");
        assertThat(drawn(MODEL, 10) + drawn("other", 10)).isZero();
        set(MODEL, Setting.TRACE_LEVEL, "TIMESTAMPS");
        assertThat(drawn(MODEL, 10)).isEqualTo(10);
        assertThat(drawn("other", 10)).isZero();

        set(MODEL, Setting.TRACE_LEVEL, null, Setting.TRACE_RATE, null, Setting.TRACE_FILE, null);
        assertThat(tracing.settings(MODEL)).isEqualTo(tracing.settings(null));
        set(null, Setting.TRACE_LEVEL, null, Setting.TRACE_RATE, null);
        assertThat(tracing.settings(null))
                .containsEntry(Setting.TRACE_LEVEL, "OFF")
                .containsEntry(Setting.TRACE_RATE, "1000");
    }

    @Test
    void shouldWriteOneFileThatIsWholeAtAnyTime() throws IOException {
        Files.writeString(folder.resolve("t.json"), "what was here before ".repeat(1000));
        into(folder);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "1", Setting.TRACE_FILE, "t.json");

        for (int round = 1; round <= 3; round++) {
            answer(MODEL, 2);
            tracing.drain();
            assertThat(read("t.json").elements()).hasSize(2 * 2 * round);
        }

        JsonTree about = read("t.json").elements().get(10);
        JsonTree times = read("t.json").elements().get(11);
        assertThat(about.get("id").toString()).isEqualTo("6");
        assertThat(about.get("model_name").text()).isEqualTo(MODEL);
        assertThat(about.get("model_version").toString()).isEqualTo("1");
        assertThat(about.get("request_id").text()).isEqualTo("id1");
        assertThat(times.get("id").toString()).isEqualTo("6");
        assertThat(times.get("timestamps").elements()).hasSize(11);
        assertThat(tracing.written()).isEqualTo(6);
        assertThat(tracing.dropped()).isZero();
    }

    @Test
    void shouldTellWhenARequestPassedFromStageToStage() throws IOException {
        into(folder);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "1");
        answer(MODEL, 1);
        tracing.drain();

        List<String> names = new ArrayList<>();
        List<Long> times = new ArrayList<>();
        for (JsonTree time :
                read("trace.json").elements().get(1).get("timestamps").elements()) {
            names.add(time.get("name").text());
            times.add(Long.parseLong(time.get("ns").toString()));
        }
        assertThat(names)
                .containsExactly(
                        "HTTP_RECV_START",
                        "HTTP_RECV_END",
                        "REQUEST_START",
                        "QUEUE_START",
                        "COMPUTE_START",
                        "COMPUTE_INPUT_END",
                        "COMPUTE_OUTPUT_START",
                        "COMPUTE_END",
                        "REQUEST_END",
                        "HTTP_SEND_START",
                        "HTTP_SEND_END");
        assertThat(times).isSorted();
        assertThat(times.getLast() - times.getFirst()).isEqualTo(call.timing().nanos(dev.millrace.monitor.Stage.TOTAL));
        assertThat(times.get(6) - times.get(5)).isEqualTo(call.timing().nanos(dev.millrace.monitor.Stage.RUN));
    }

    @Test
    void shouldBeginAnotherFileAfterSoManyTraces() throws IOException {
        into(folder);
        set(
                null,
                Setting.TRACE_LEVEL,
                "TIMESTAMPS",
                Setting.TRACE_RATE,
                "1",
                Setting.LOG_FREQUENCY,
                "3",
                Setting.TRACE_FILE,
                "t");
        answer(MODEL, 2);
        tracing.drain();
        answer(MODEL, 5);
        tracing.drain();

        assertThat(read("t.0").elements()).hasSize(6);
        assertThat(read("t.1").elements()).hasSize(6);
        assertThat(read("t.2").elements()).hasSize(2);
        assertThat(folder.toFile().list()).containsExactlyInAnyOrder("t.0", "t.1", "t.2");
    }

    @Test
    void shouldDropAndCountWhatThereIsNoRoomFor() throws IOException {
        tracing = Tracing.into(folder, 16, 1, 2);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "1");

        answer(MODEL, 1);
        tracing.drain();
        answer(MODEL, 1);
        tracing.drain();

        assertThat(read("trace.json").elements()).hasSize(2);
        assertThat(tracing.written()).isOne();
        assertThat(tracing.dropped()).isOne();
    }

    @Test
    void shouldMakeNoMoreFilesThanAllowed() {
        tracing = Tracing.into(folder, 16, 1 << 20, 2);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "1", Setting.LOG_FREQUENCY, "1");

        answer(MODEL, 5);
        tracing.drain();

        assertThat(folder.toFile().list()).hasSize(2);
        assertThat(tracing.written()).isEqualTo(2);
        assertThat(tracing.dropped()).isEqualTo(3);
    }

    @Test
    void shouldCountAsDroppedWhatCannotBeWritten() throws IOException {
        Files.createDirectory(folder.resolve("t.json"));
        into(folder);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "1", Setting.TRACE_FILE, "t.json");

        answer(MODEL, 2);
        tracing.drain();

        assertThat(tracing.written()).isZero();
        assertThat(tracing.dropped()).isEqualTo(2);
    }

    @Test
    void shouldRefuseWhenTheRingIsFullAndGoOnWhenItIsNot() {
        TraceRing ring = new TraceRing(4);
        Sampling sampling = new Sampling(null, new TraceSettings(true, false, 1, -1, 0, "t"), -1);

        for (int round = 0; round < 5; round++) {
            for (int i = 0; i < 4; i++) {
                assertThat(ring.add(sampling, FrontEnd.GRPC, call, null, TracedTensors.NONE, 1))
                        .isTrue();
            }
            assertThat(ring.add(sampling, FrontEnd.GRPC, call, null, TracedTensors.NONE, 1))
                    .isFalse();
            for (int i = 0; i < 4; i++) {
                assertThat(ring.peek()).isNotNull();
                ring.remove();
            }
            assertThat(ring.peek()).isNull();
        }
    }

    @Test
    void shouldWriteEveryTraceOnceWhenMoreThanOneThreadAnswers() throws Exception {
        into(folder);
        set(null, Setting.TRACE_LEVEL, "TIMESTAMPS", Setting.TRACE_RATE, "1");
        int each = 3000;
        CountDownLatch begin = new CountDownLatch(1);
        AtomicInteger answered = new AtomicInteger();
        List<Thread> threads = IntStream.range(0, 4)
                .mapToObj(_ -> Thread.ofPlatform().start(() -> {
                    try {
                        begin.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    for (int i = 0; i < each; i++) {
                        tracing.draw(MODEL).answered(FrontEnd.HTTP, call, Integer.toString(answered.incrementAndGet()));
                    }
                }))
                .toList();
        begin.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        tracing.close();

        Set<String> ids = new HashSet<>();
        for (JsonTree item : read("trace.json").elements()) {
            if (item.has("request_id")) {
                assertThat(ids.add(item.get("request_id").text())).isTrue();
            }
        }
        assertThat(ids).hasSize((int) tracing.written());
        assertThat(tracing.written() + tracing.dropped()).isEqualTo(4L * each);
    }
}
