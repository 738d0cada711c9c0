// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.swap;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.wire.ServerProcess;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SwapsTest {
    private static final PrintStream SILENCE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    @TempDir
    Path temp;

    @Test
    void shouldTellWhichAnswersAreOfWhatWasLive() throws IOException {
        SwappedModel model = new SwappedModel(temp, false);
        float first = 1024;
        int begun = model.settled();
        assertThat(model.wrong(begun, 7, first + 7, "1")).isNull();
        assertThat(model.wrong(begun, 7, first + 8, "1"))
                .isEqualTo("the answer to 7 is 1032.0, which no version gives");
        assertThat(model.wrong(begun, 7, 2 * first + 7, "1")).isEqualTo("number 1 answered, live were 0 to 0");
        assertThat(model.wrong(begun, 7, first + 7, "2")).isEqualTo("version 1 answered, and says that it is 2");

        model.prepare();
        model.swapping();
        assertThat(model.wrong(begun, 7, first + 7, "1")).isNull();
        assertThat(model.wrong(begun, 7, 2 * first + 7, "1")).isNull();
        model.swapped();
        assertThat(model.wrong(begun, 7, first + 7, "1")).isNull();
        assertThat(model.wrong(model.settled(), 7, first + 7, "1")).isEqualTo("number 0 answered, live were 1 to 1");

        model.prepare();
        assertThat(temp.resolve("swapped/1/model.onnx")).exists();
        model.swapping();
        model.swapped();
        assertThat(model.wrong(model.settled(), 7, 3 * first + 7, "2")).isNull();
        assertThat(temp.resolve("swapped/1")).doesNotExist();
    }

    @Test
    void shouldTellWhichAnswersAreOfWhatWasLiveWhenTwoReplaceEachOther() throws IOException {
        SwappedModel model = new SwappedModel(temp, true);
        float first = 1024;
        model.prepare();
        for (int swap = 0; swap < 3; swap++) {
            int begun = model.settled();
            float live = swap % 2 == 0 ? first : 2 * first;
            float other = 3 * first - live;
            String version = swap % 2 == 0 ? "1" : "2";
            assertThat(model.wrong(begun, 7, live + 7, version)).isNull();
            assertThat(model.wrong(begun, 7, other + 7, "1")).endsWith("live were " + swap + " to " + swap);
            model.swapping();
            assertThat(model.wrong(begun, 7, live + 7, version)).isNull();
            assertThat(model.wrong(begun, 7, other + 7, version)).contains("and says that it is " + version);
            model.swapped();
            assertThat(model.wrong(model.settled(), 7, live + 7, version)).contains("live were");
        }
        assertThat(temp.resolve("swapped/1/model.onnx")).exists();
        assertThat(temp.resolve("swapped/2/model.onnx")).exists();
    }

    @Test
    void shouldSayWhichPromiseIsBroken() {
        Clients.Tally none = new Clients.Tally();
        double[] still = {100, 100, 100, 100, 100, 104};
        double[] growing = {100, 101, 102, 103, 104, 106};
        long[] nanos = new long[6];
        Map<String, Long> bytes = Map.of("call", 1L);
        assertThat(new Swaps.Findings(none, none, 1, 1, nanos, bytes, bytes, still).broken())
                .isEmpty();
        assertThat(new Swaps.Findings(none, none, 1, 1, nanos, bytes, Map.of("call", 2L), growing).broken())
                .isEqualTo("native bytes were {call=1} and are {call=2}; the server has grown by 6.0 % since swap 1");
        Clients.Tally failing = new Clients.Tally();
        failing.failed("503");
        failing.wrong("version 3");
        assertThat(new Swaps.Findings(none, failing, 1, 1, nanos, bytes, bytes, still).broken())
                .isEqualTo("1 requests failed, 1 answers were not of what was live: 503");
        double[] breathing = {0, 100, 90, 0, 0, 0, 0, 0, 0, 0, 98, 101};
        assertThat(new Swaps.Findings(none, none, 1, 1, new long[12], bytes, bytes, breathing).growth())
                .isEqualTo(99.5 / 95 - 1);
        double[] unknown = {Double.NaN, 100, 100, 100, 100, 100};
        assertThat(new Swaps.Findings(none, none, 1, 1, nanos, bytes, bytes, unknown).broken())
                .isEqualTo("the server has grown by NaN % since swap 1");
    }

    @Tag("slow")
    @Test
    void shouldReplaceAServersModelUnderLoad() throws IOException {
        Swaps swaps = new Swaps(
                6, 50, SILENCE, arguments -> ServerProcess.startMillrace(temp.resolve("server.log"), arguments));
        Map<Swaps.Way, Swaps.Findings> all = swaps.all();

        assertThat(all).containsOnlyKeys(Swaps.Way.values()).allSatisfy((_, found) -> {
            assertThat(found.during().answered()).isPositive();
            assertThat(found.during().failed()).isZero();
            assertThat(found.during().wrong()).as(found.during().problem()).isZero();
            assertThat(found.bytesAfter()).isEqualTo(found.bytesBefore());
        });
        Section report = new SwapsReport(all);
        assertThat(report.markdown()).contains("| one a second, no trial | ", "| during | ");
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            report.write(json);
            json.writeEndObject();
        }
        assertThat(text).asString().contains("\"way\":\"BACK_TO_BACK\"", "\"residentMebibytes\":[");
    }
}
