// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Rig.Told;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.EventType;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Recording;
import jdk.jfr.SettingDescriptor;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlightEventsTest {
    private static final String BATCH = "dev.millrace.Batch";
    private static final String REQUEST = "dev.millrace.Request";

    @TempDir
    Path folder;

    private List<RecordedEvent> stop(Recording recording, String name) throws IOException {
        recording.stop();
        Path file = folder.resolve("recording.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals(name))
                .toList();
    }

    @Test
    void shouldRecordBatchesWhenARecordingWantsThem() throws IOException {
        try (Rig rig = new Rig(4, 16, 1);
                Recording recording = new Recording()) {
            recording.enable(BATCH).withoutThreshold();
            recording.start();
            rig.submit(1, 2);
            Told cancelled = rig.submit(2, 1);
            rig.submit(3, 3);
            rig.backend.onStart = _ -> cancelled.call.cancel();
            rig.turn();
            rig.backend.failures.add(new IllegalStateException("broken"));
            rig.submit(4, 1);
            rig.turn();

            List<RecordedEvent> events = stop(recording, BATCH);

            assertThat(events).extracting(event -> event.getInt("rows")).containsExactly(4, 2, 1);
            assertThat(events).extracting(event -> event.getInt("deadRows")).containsExactly(1, 0, 0);
            assertThat(events).extracting(event -> event.getInt("queuedRows")).containsExactly(2, 0, 0);
            assertThat(events).extracting(event -> event.getBoolean("failed")).containsExactly(false, false, true);
            assertThat(events).allSatisfy(event -> {
                assertThat(event.getString("model")).isEqualTo("fake");
                assertThat(event.getLong("version")).isEqualTo(3);
                assertThat(event.getInt("instance")).isZero();
                assertThat(event.getStackTrace()).isNull();
            });
        }
    }

    @Test
    void shouldRecordRequestsWithTheirStagesWhenARecordingWantsThem() throws IOException {
        try (Rig rig = new Rig(4, 16, 1);
                Recording recording = new Recording()) {
            recording.enable(REQUEST).withoutThreshold();
            recording.start();
            rig.backend.onLoad = () -> rig.clock.addAndGet(20);
            rig.backend.onStart = _ -> rig.clock.addAndGet(40);
            rig.backend.onUnload = () -> rig.clock.addAndGet(50);
            Call call = rig.call().begin(false);
            rig.clock.addAndGet(10);
            call.decoded();
            rig.submit(call, 1, 2);
            rig.clock.addAndGet(30);
            rig.turn();
            call.encoding();
            rig.clock.addAndGet(60);
            call.encoded();

            List<RecordedEvent> events = stop(recording, REQUEST);

            assertThat(events).hasSize(1);
            RecordedEvent event = events.getFirst();
            assertThat(event.getString("model")).isEqualTo("fake");
            assertThat(event.getLong("version")).isEqualTo(3);
            assertThat(event.getInt("batchRows")).isEqualTo(2);
            assertThat(List.of("decode", "assemble", "queue", "run", "deliver", "encode"))
                    .extracting(event::getDuration)
                    .containsExactly(
                            Duration.ofNanos(10),
                            Duration.ofNanos(20),
                            Duration.ofNanos(30),
                            Duration.ofNanos(40),
                            Duration.ofNanos(50),
                            Duration.ofNanos(60));
            assertThat(event.getStackTrace()).isNull();
        }
    }

    @Test
    void shouldRecordARefusalWithItsReason() throws IOException {
        try (Rig rig = new Rig(4, 4, 1);
                Recording recording = new Recording()) {
            recording.enable("dev.millrace.Refusal").withoutThreshold();
            recording.start();
            for (int i = 0; i < 5; i++) {
                rig.submit(i, 1);
            }
            rig.turn();

            List<RecordedEvent> events = stop(recording, "dev.millrace.Refusal");

            assertThat(events).hasSize(1);
            assertThat(events.getFirst().getString("model")).isEqualTo("fake");
            assertThat(events.getFirst().getLong("version")).isEqualTo(3);
            assertThat(events.getFirst().getString("reason")).isEqualTo("OVERLOADED");
            assertThat(events.getFirst().getStackTrace()).isNull();
        }
    }

    @Test
    void shouldMakeNoEventsWhenNoRecordingWantsThem() {
        try (Rig rig = new Rig(4, 16, 1)) {
            assertThat(rig.lane.recorder().beginBatch()).isNull();
            assertThat(rig.lane.recorder().beginRequest()).isNull();
        }
    }

    @Test
    void shouldRecordOnlySlowOnesUnlessToldOtherwise() {
        try (Rig rig = new Rig(4, 16, 1);
                Recording recording = new Recording()) {
            recording.enable(BATCH);
            recording.start();
            rig.submit(1, 1);
            rig.turn();
            List<EventType> own = FlightRecorder.getFlightRecorder().getEventTypes().stream()
                    .filter(type -> type.getName().startsWith("dev.millrace."))
                    .toList();
            assertThat(own).extracting(EventType::getName).contains(BATCH);
            assertThat(own).allSatisfy(type -> {
                assertThat(type.getSettingDescriptors())
                        .filteredOn(setting -> setting.getName().equals("threshold"))
                        .extracting(SettingDescriptor::getDefaultValue)
                        .containsExactly("10 ms");
                assertThat(type.getDescription()).isNotEmpty();
                assertThat(type.getCategoryNames()).containsExactly("Millrace");
            });
        }
    }
}
