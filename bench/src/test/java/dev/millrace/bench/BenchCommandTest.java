// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.bench.ModelBench.Findings;
import dev.millrace.bench.ModelBench.Omission;
import dev.millrace.bench.ModelBench.Plan;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.route.Settings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class BenchCommandTest {
    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    @Test
    void shouldSayWhatIsWrongWithAnOption() {
        assertWrong("--batch must be at least 1, was 0", "m.onnx", "--batch", "1,0");
        assertWrong("'x' is not an int", "m.onnx", "--batch", "1,x");
        assertWrong("there is no 'tvm', there are [floor, row-runner, ort-typical", "m.onnx", "--routes", "call,tvm");
        assertWrong("--shape must be like image=1,3,224,224, was x=1;2", "m.onnx", "--shape", "x=1;2");
        assertWrong("--shape must be like", "m.onnx", "--shape", "=1");
        assertWrong("--threads and --integers-below must be at least 1", "m.onnx", "--threads", "0");
        assertWrong("Missing required parameter: 'MODEL.onnx'");
        assertWrong("Unknown option: '--fast'", "m.onnx", "--fast");
    }

    private static void assertWrong(String message, String... arguments) {
        Run run = run(arguments);
        assertThat(run.err()).contains(message).contains("see 'millrace bench --help'");
        assertThat(run.code()).isEqualTo(2);
    }

    @Test
    void shouldSayWhatIsWrongWithTheModel() throws IOException {
        Path text = Files.writeString(temp.resolve("text.onnx"), "no model");

        assertThat(run(text + "none", "--quick").err()).contains("does not exist");
        assertThat(run(text.toString()).code()).isEqualTo(1);
        assertThat(run(text.toString()).err()).contains("text.onnx is not an ONNX model");
    }

    @Test
    void shouldHelp() {
        assertThat(run("--help").out()).contains("millrace bench", "MODEL.onnx", "--batch", "--shape", "ort-typical");
        assertThat(run("--help").code()).isZero();
    }

    @Test
    void shouldReportWhatWasMeasuredAndWhatCouldNotBe() {
        Map<Case, List<Latency>> latencies = new LinkedHashMap<>();
        for (int batch : new int[] {1, 8}) {
            latencies.put(new Case("dir/m.onnx", Route.FLOOR, batch), List.of(latency(2000), latency(2200)));
            latencies.put(new Case("dir/m.onnx", Route.CALL, batch), List.of(latency(3000), latency(4400)));
        }
        Plan plan = new Plan(
                Path.of("dir/m.onnx"), List.of(1, 8), false, List.of(Route.values()), Settings.DEFAULT, Effort.BRIEF);
        Findings findings = new Findings(
                plan,
                Map.of("CPU", "some", "cores", "2", "ONNX Runtime", "1"),
                Map.of("inputs", "x FP32[-1, 4]"),
                Optional.of("'x' is not a numeric tensor"),
                latencies,
                List.of(new Omission(Route.DJL, 1, "no such type"), new Omission(Route.DJL, 8, "no such type")),
                List.of(new Omission(Route.PREDICT, 8, "row 3 is 1, the floor's is 2")));

        assertThat(ModelReport.markdown(findings))
                .contains("| 1 | C API, whole tensors: the floor | 4,200 (4,000–4,400) | 2,100 (2,000–2,200) |")
                .contains("| 463 (375–550) | 1.75 (1.50–2.00) |")
                .contains("- batch 1, 8, DJL `Predictor`, arrays in and out: no such type")
                .contains("REFUSED", "- batch 8, Millrace `Model.predict()`: row 3 is 1");
        assertThat(ModelReport.json(findings))
                .contains("\"p50Nanos\" : 4400.0", "\"reason\" : \"no such type\"", "\"route\" : \"predict\"");
        assertThat(ModelReport.chart(findings).split("<circle ", -1)).hasSize(5);
    }

    private static Latency latency(double p50) {
        return new Latency(2 * p50, p50, 3 * p50, 9 * p50, 7);
    }

    @Tag("slow")
    @Test
    void shouldMeasureAModelInProcessesOfTheirOwn() throws IOException {
        Path file = BenchModels.MLP.writeInto(temp);

        Run run = run(
                file.toString(),
                "--quick",
                "--batch",
                "2",
                "--routes",
                "call,djl",
                "--out",
                temp.resolve("out").toString());

        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .contains(
                        "| 2 | C API, prebound: the floor |", "| 2 | DJL `Predictor`", "| 2 | Millrace `Call.run()` |")
                .doesNotContain("arrays in and out: ", "REFUSED");
        assertThat(temp.resolve("out/model.svg")).isNotEmptyFile();
        assertThat(temp.resolve("out/model.json")).isNotEmptyFile();
    }

    private static Run run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command =
                BenchCommand.command().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int code = command.execute(arguments);
        return new Run(code, out.toString(), err.toString());
    }
}
