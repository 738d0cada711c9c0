// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.NativeMemory;
import dev.millrace.server.JsonTree;
import dev.millrace.zoo.payments.Payment;
import dev.millrace.zoo.payments.PaymentFeatures;
import dev.millrace.zoo.payments.PaymentSimulator;
import dev.millrace.zoo.payments.PaymentViews;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `millrace features parity`: serving is compared with training.
class FeaturesParityTest {
    private static final PaymentSimulator.Settings WORLD = new PaymentSimulator.Settings(11, 30, 80, 150);
    private static final long FROM_MS = PaymentSimulator.START_MS + 20L * 86_400_000;
    private static final long HOUR = 3_600_000_000L;
    private static final String SMALL = """
        apiVersion: v1
        kind: FeaturePipeline
        name: small
        version: 1
        entities: [{name: user, join_keys: [user_id], type: int64}]
        sources:
          stats:
            kind: store
            entity: user
            timestamp_field: seen_at
            created_timestamp_field: written_at
            fields: [{name: sum, type: float64}, {name: n, type: int64, default: 0}]
        request: [{name: user_id, type: int64}]
        features: [{name: sum, input: stats.sum}, {name: n, input: stats.n}]
        output: {tensor: in, type: float32, layout: row}
        """;
    /// The second one became known late, and the last one before it was so.
    private static final String LOG = """
        user_id,seen_at,written_at,sum,n
        1,2026-01-31T12:00:00Z,2026-01-31T12:00:05Z,1,10
        1,2026-01-31T12:10:00Z,2026-01-31T12:30:00Z,2,10
        2,2026-01-31T12:00:00Z,2026-01-31T12:00:00Z,,3
        """;

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    private static Run parity(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] all = Stream.concat(Stream.of("features", "parity"), Arrays.stream(arguments))
                .map(Object::toString)
                .toArray(String[]::new);
        int code = Main.run(new PrintWriter(out), new PrintWriter(err), all);
        return new Run(code, out.toString(), err.toString());
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(NativeMemory.used(MemoryTag.STORE)).isZero();
    }

    private Path file(String name, String text) throws IOException {
        return Files.writeString(temp.resolve(name), text);
    }

    /// Events of a view as lines, and the names of their columns.
    private static final class Log {
        private String head;
        private final List<String> lines = new ArrayList<>();

        void add(Map<String, Object> row, long event, long created) {
            head = String.join(",", row.keySet()) + ",seen_at,written_at\n";
            lines.add(row.values().stream()
                            .map(value -> Objects.toString(value, ""))
                            .collect(Collectors.joining(","))
                    + "," + event + "," + created + "\n");
        }

        String shuffled(SplittableRandom random) {
            for (int i = lines.size() - 1; i > 0; i--) {
                lines.set(i, lines.set(random.nextInt(i + 1), lines.get(i)));
            }
            return head + String.join("", lines);
        }
    }

    /// Events come late, twice, amended and in any order, and serving is what training has, to the bit.
    @Test
    void shouldFindThatServingEqualsTrainingForPayments() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        Map<String, Log> logs = new LinkedHashMap<>();
        StringBuilder requests = new StringBuilder(
                "customer_id,merchant_id,customer_merchant,customer_device,amount,card_present,request_time\n");
        int count = simulate(random, logs, requests);
        Path spec = file(
                "features.yaml",
                Files.readString(Path.of("../models/payments/fraud/1/features.yaml"))
                        .replace(
                                "    timestamp_field: seen_at\n",
                                "    timestamp_field: seen_at\n    created_timestamp_field: written_at\n"));
        List<Object> arguments = new ArrayList<>(List.of(spec, "--json", "--data", file("r.csv", requests.toString())));
        for (Map.Entry<String, Log> log : logs.entrySet()) {
            arguments.add("--view");
            arguments.add(log.getKey() + "="
                    + file(log.getKey() + ".csv", log.getValue().shuffled(random)));
        }
        Run run = parity(arguments.toArray());

        assertThat(run.err()).isEmpty();
        JsonTree json = JsonTree.parse(run.out());
        assertThat(json.get("equal").value()).as(run.out()).hasToString("true");
        assertThat(run.code()).isZero();
        assertThat(json.get("rows").value()).hasToString(Integer.toString(count));
        assertThat(json.get("created_before_event_time").value()).hasToString("0");
        assertThat(json.get("columns").elements())
                .hasSize(PaymentFeatures.names().size());
        assertThat(count).isGreaterThan(500);

        shouldFindWhatWasServedTooEarly(arguments, spec, logs.keySet());
    }

    /// What a store would have served that gets events when they happen is not what training has.
    private void shouldFindWhatWasServedTooEarly(List<Object> arguments, Path spec, Iterable<String> views)
            throws IOException {
        Path early =
                file("early.yaml", Files.readString(spec).replace("    created_timestamp_field: written_at\n", ""));
        Path served = temp.resolve("served.parquet");
        List<String> transform = new ArrayList<>(List.of(
                "features",
                "transform",
                early.toString(),
                "--data",
                temp.resolve("r.csv").toString(),
                "--out"));
        transform.add(served.toString());
        for (String view : views) {
            transform.add("--view");
            transform.add(view + "=" + temp.resolve(view + ".csv"));
        }
        StringWriter said = new StringWriter();
        assertThat(Main.run(new PrintWriter(said), new PrintWriter(said), transform.toArray(String[]::new)))
                .as(said.toString())
                .isZero();
        List<Object> all = new ArrayList<>(arguments);
        all.addAll(List.of("--served", served, "--examples", 1));
        Run run = parity(all.toArray());
        assertThat(run.code()).isOne();
        JsonTree json = JsonTree.parse(run.out());
        assertThat(json.get("equal").value()).hasToString("false");
        assertThat(Long.parseLong(json.get("unequal_rows").value().toString())).isGreaterThan(100);
        assertThat(json.get("columns").elements().getFirst().get("name").value())
                .hasToString("amount_log");
        assertThat(json.get("columns").elements().getFirst().get("mismatch").value())
                .hasToString("0");
    }

    /// @return how many requests there are
    private static int simulate(SplittableRandom random, Map<String, Log> logs, StringBuilder requests) {
        PaymentSimulator simulator = new PaymentSimulator(WORLD);
        PaymentFeatures features = new PaymentFeatures(simulator.customers(), simulator.merchants());
        PaymentViews views = new PaymentViews(features);
        int count = 0;
        while (simulator.hasNext()) {
            Payment payment = simulator.next();
            if (payment.timeMs() >= FROM_MS) {
                long time = payment.timeMs() * 1000;
                views.of(payment).forEach((view, row) -> {
                    Log log = logs.computeIfAbsent(view, _ -> new Log());
                    long created = time + (random.nextInt(3) == 0 ? random.nextLong(30 * HOUR) : 0);
                    log.add(row, time, created);
                    if (random.nextInt(8) == 0) {
                        log.add(row, time, created);
                    }
                    if (random.nextInt(8) == 0) {
                        row.replaceAll((_, value) -> value instanceof Double number ? (Object) (number / 3) : value);
                        log.add(row, time, created + random.nextLong(5 * HOUR));
                    }
                });
                String customer = payment.customer() + ":";
                requests.append(payment.customer() + "," + payment.merchant() + "," + customer + payment.merchant()
                        + "," + customer + payment.device() + "," + payment.euros() + "," + payment.cardPresent()
                        + "," + time + "\n");
                count++;
            }
            features.observe(payment);
        }
        return count;
    }

    /// An event that became known at 12:30 was served at 12:19; a value was not served, another one
    /// had not to be.
    @Test
    void shouldShowEachValueThatDiffers() throws IOException {
        Path served = file("served.csv", """
            user_id,request_time,sum,n
            1,2026-01-31T12:05:00Z,1,10
            1,2026-01-31T12:19:00Z,2,10
            1,2026-01-31T12:30:00Z,2,10
            1,2026-01-31T12:31:00Z,,10
            2,2026-01-31T12:31:00Z,7,3
            3,2026-01-31T12:31:00Z,,0
            """);
        Object[] arguments = {file("small.yaml", SMALL), "--served", served, "--view", "stats=" + file("log.csv", LOG)};
        Run run = parity(arguments);

        assertThat(run.code()).as(run.toString()).isOne();
        assertThat(run.err()).isEmpty();
        assertThat(run.out())
                .contains("point-in-time join of 3 events\n", "6, 3 of them not equal\n")
                .containsPattern("sum {5,}3 +1 +1 +1 +1\\.000 +1\\.000 +1\\.000 +1\\.000\n")
                .containsPattern("n {5,}6 +0 +0 +0\n")
                .contains(
                        "sum of line 3: base 1.0, test 2.0\n",
                        "sum of line 5: base 2.0, test none\n",
                        "sum of line 6: base none, test 7.0\n")
                .endsWith("serving differs from training\n");

        JsonTree json = JsonTree.parse(
                parity(Stream.concat(Arrays.stream(arguments), Stream.of("--json", "--examples", 1, "--tolerance", 1.5))
                                .toArray())
                        .out());
        JsonTree sum = json.get("columns").elements().getFirst();
        assertThat(sum.get("match").value()).hasToString("4");
        assertThat(sum.get("mismatch").value()).hasToString("0");
        assertThat(sum.get("base_only").value()).hasToString("1");
        assertThat(sum.get("test_only").value()).hasToString("1");
        assertThat(sum.get("examples").elements()).hasSize(1);
        assertThat(sum.get("examples").elements().getFirst().get("row").value()).hasToString("line 5");
    }

    /// A store serves a row from its creation on, training has it from its event time on.
    @Test
    void shouldFindThatAFutureEventIsServedEarly() throws IOException {
        Path data = file("data.csv", "user_id,request_time\n5,2026-01-31T12:40:00Z\n5,2026-01-31T12:30:00Z\n");
        String future = LOG + "5,2026-01-31T12:40:00Z,2026-01-31T12:30:00Z,4,1\n";
        Run run = parity(file("small.yaml", SMALL), "--data", data, "--view", "stats=" + file("future.csv", future));
        assertThat(run.code()).as(run.toString()).isOne();
        assertThat(run.out())
                .contains(
                        "point-in-time join of 4 events; 1 were created before their event time\n",
                        "2, 1 of them not equal\n",
                        "sum of line 3: base none, test 4.0\n",
                        "n of line 3: base 0.0, test 1.0\n");
    }

    @Test
    void shouldSayWhichRowsAreRejected() throws IOException {
        Path data = file("data.csv", "user_id,request_time\n1,2026-01-31T12:31:00Z\n9,2026-01-31T12:31:00Z\n");
        Path spec = file(
                "strict.yaml",
                SMALL.replace("    fields: [{name: sum", "    on_missing_entity: reject\n    fields: [{name: sum"));
        Run run = parity(spec, "--data", data, "--view", "stats=" + file("log.csv", LOG));
        assertThat(run.code()).as(run.toString()).isZero();
        assertThat(run.out())
                .contains("rejected    1 in the base, 1 in the test, first line 3, ")
                .endsWith("serving equals training\n");
    }

    private void assertComplains(int code, String problem, Object... arguments) {
        Run run = parity(arguments);
        assertThat(run.code()).as(run.toString()).isEqualTo(code);
        assertThat(run.err()).contains(problem);
    }

    @Test
    void shouldNameWhatIsWrong() throws IOException {
        Path spec = file("small.yaml", SMALL);
        Path data = file("data.csv", "user_id,request_time\n1,2026-01-31T12:31:00Z\n");
        String view = "stats=" + file("log.csv", LOG);
        assertComplains(2, "neither --data nor --served came", spec, "--view", view);
        assertComplains(2, "--tolerance: -1.0 came, expected 0", spec, "--data", data, "--tolerance", "-1");
        assertComplains(
                1,
                "view 'stats' is of kind store: --view stats=FILE has to say which file its events are in",
                spec,
                "--data",
                data);
        assertComplains(
                1,
                "there is no column 'sum', which is one of small",
                spec,
                "--data",
                data,
                "--view",
                view,
                "--served",
                data);
        assertComplains(
                1,
                "it has more rows than " + data + ", expected one for each of them, in their order",
                spec,
                "--data",
                data,
                "--view",
                view,
                "--served",
                file("more.csv", "sum,n\n1,2\n1,2\n"));
        assertComplains(
                1,
                "timeless.csv: there is no column 'request_time' with the time of the request",
                spec,
                "--data",
                file("timeless.csv", "user_id\n1\n"),
                "--view",
                view);
        assertComplains(
                1,
                "line 5, column 'sum': 'many' came, expected a number",
                spec,
                "--data",
                data,
                "--view",
                "stats=" + file("bad.csv", LOG + "3,2026-01-31T12:20:00Z,2026-01-31T12:20:00Z,many,1\n"));
    }
}
