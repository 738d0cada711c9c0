// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import dev.millrace.bench.HttpBench.Both;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.wire.EchoServer;
import dev.millrace.bench.wire.GrpcContestant;
import dev.millrace.bench.wire.GrpcEcho;
import dev.millrace.bench.wire.H2load;
import dev.millrace.bench.wire.HttpContestant;
import dev.millrace.bench.wire.Post;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.bench.wire.Wrk;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The same rows to one server as JSON, as binary tensors and over gRPC, each beside a floor that takes in the same
/// request and sends the same answer, but looks at nothing in it.
///
/// Threads: one. Ownership: it closes what it opens.
final class Protocols implements AutoCloseable {
    private static final int WARM_UP_SECONDS = 8;
    private static final int MANY = 32;
    /// So many that as many requests of the most rows have room as are on their way.
    private static final String QUEUE_ROWS = "4096";

    /// How many rows are in a request.
    static final List<Integer> ROWS = List.of(1, 64);

    /// How rows are sent and answered.
    enum Form {
        JSON("JSON"),
        BINARY("binary tensors"),
        GRPC("gRPC");

        private final String title;

        Form(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    /// One way to load a server.
    ///
    /// @param streams requests on their way on each connection
    record Setting(int rows, Form form, int connections, int streams) {
        String describe() {
            return connections
                    + (connections == 1 ? " connection" : " connections")
                    + (streams == 1 ? "" : " of " + streams + " streams");
        }
    }

    /// All that was found out.
    ///
    /// @param bytes of a request's body and an answer's, by what was sent with one stream on one connection
    /// @param loads by setting one pair per round
    record Findings(Map<Setting, int[]> bytes, Map<Setting, List<Both<Wrk.Load>>> loads) {}

    private final Effort effort;
    private final PrintStream progress;
    private final Path log;
    private final Fixture fixture = Fixture.open(BenchModels.MLP);
    private final String path = "/v2/models/" + fixture.name() + "/infer";
    private final Findings findings = new Findings(new LinkedHashMap<>(), new LinkedHashMap<>());

    /// @param log gets what the servers and the load generators print
    Protocols(Effort effort, PrintStream progress, Path log) {
        this.effort = effort;
        this.progress = progress;
        this.log = log;
    }

    /// Measures what there is a load generator for; nothing if there is no `wrk`.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong or missing
    Optional<Findings> measure() throws IOException {
        Optional<Path> wrk = HttpBench.findWrk(progress);
        if (wrk.isEmpty()) {
            return Optional.empty();
        }
        Optional<Path> h2load = H2load.find();
        if (h2load.isEmpty()) {
            progress.println(
                    "gRPC is not measured: there is no h2load on the PATH (Debian: apt install nghttp2-client)");
        }
        try (ServerProcess millrace = ServerProcess.startMillrace(
                log,
                List.of(
                        "serve",
                        "--model-repository",
                        fixture.repository().toString(),
                        "--http-port",
                        "0",
                        "--grpc-port",
                        "0",
                        "--event-loops",
                        "1",
                        "--queue-rows",
                        QUEUE_ROWS))) {
            for (int rows : ROWS) {
                overHttp(wrk.get(), millrace, rows, Form.JSON);
                overHttp(wrk.get(), millrace, rows, Form.BINARY);
                if (h2load.isPresent()) {
                    overGrpc(h2load.get(), millrace, rows);
                }
            }
        }
        return Optional.of(findings);
    }

    private void overHttp(Path program, ServerProcess millrace, int rows, Form form) throws IOException {
        List<Post> requests = batches(rows).stream()
                .map(batch -> form == Form.JSON ? Post.json(path, batch, width()) : Post.binary(path, batch, width()))
                .toList();
        byte[] answer;
        try (HttpContestant client = new HttpContestant(millrace.port(), requests)) {
            fixture.gate().check(form.title() + " over HTTP", client, rows);
            client.run(0);
            answer = client.wire();
        }
        Setting one = new Setting(rows, form, 1, 1);
        findings.bytes().put(one, new int[] {requests.getFirst().body().length, HttpContestant.bodyLength(answer)});
        try (ServerProcess echo = ServerProcess.start(log, EchoServer.class, EchoServer.argument(answer));
                Wrk wrk = new Wrk(program, requests.getFirst(), log)) {
            Loader loader = (server, setting, seconds) ->
                    wrk.run("http://127.0.0.1:" + server.port() + path, setting.connections(), seconds);
            rounds(loader, new Both<>(echo, millrace), List.of(new Setting(rows, form, MANY, 1), one));
        }
        try (HttpContestant client = new HttpContestant(millrace.port(), requests)) {
            fixture.gate().check(form.title() + " over HTTP", client, rows);
        }
    }

    private void overGrpc(Path program, ServerProcess millrace, int rows) throws IOException {
        List<byte[]> requests = batches(rows).stream()
                .map(batch -> GrpcContestant.request(fixture.name(), batch, width()))
                .toList();
        byte[] answer;
        try (GrpcContestant client = new GrpcContestant(millrace.grpcPort(), requests)) {
            fixture.gate().check("gRPC", client, rows);
            client.run(0);
            answer = client.answer();
        }
        Setting one = new Setting(rows, Form.GRPC, 1, 1);
        findings.bytes().put(one, new int[] {requests.getFirst().length, answer.length});
        try (ServerProcess echo = ServerProcess.start(log, GrpcEcho.class, EchoServer.argument(answer));
                H2load h2load = new H2load(program, GrpcContestant.post(requests.getFirst()), log)) {
            // A status of gRPC comes behind an answer and h2load does not look at it: the server's own count does.
            Loader loader = (server, setting, seconds) -> {
                boolean counted = server == millrace;
                long before = counted ? answered(millrace) : 0;
                H2load.Outcome outcome = h2load.run(
                        counted ? server.grpcPort() : server.port(), setting.connections(), setting.streams(), seconds);
                if (counted && answered(millrace) - before < outcome.answered()) {
                    throw new dev.millrace.bench.route.Gate.Refusal(
                            "under load: fewer calls succeeded than were answered", null);
                }
                return outcome.load();
            };
            rounds(
                    loader,
                    new Both<>(echo, millrace),
                    List.of(new Setting(rows, Form.GRPC, MANY, 1), new Setting(rows, Form.GRPC, 1, MANY), one));
        }
        try (Contestant client = new GrpcContestant(millrace.grpcPort(), requests)) {
            fixture.gate().check("gRPC", client, rows);
        }
    }

    /// Inference requests that the server has answered with success.
    private long answered(ServerProcess server) throws IOException {
        URI uri = URI.create("http://127.0.0.1:" + server.port() + "/v2/models/" + fixture.name() + "/stats");
        try (InputStream in = uri.toURL().openStream();
                JsonParser json = new JsonFactory().createParser(in)) {
            boolean success = false;
            while (json.nextToken() != null) {
                success |= "success".equals(json.currentName());
                if (success && "count".equals(json.currentName())) {
                    return json.nextLongValue(0);
                }
            }
        }
        throw new IOException("no count of successes at " + uri);
    }

    private void rounds(Loader loader, Both<ServerProcess> servers, List<Setting> settings) throws IOException {
        loader.load(servers.echo(), settings.getFirst(), WARM_UP_SECONDS);
        loader.load(servers.millrace(), settings.getFirst(), WARM_UP_SECONDS);
        int seconds = effort.httpSeconds();
        for (int round = 1; round <= effort.httpRounds(); round++) {
            for (Setting setting : settings) {
                var both = new Both<>(
                        loader.load(servers.echo(), setting, seconds),
                        loader.load(servers.millrace(), setting, seconds));
                findings.loads()
                        .computeIfAbsent(setting, _ -> new ArrayList<>())
                        .add(both);
                progress.printf(
                        "round %d of %d: %s, %d rows, %s: %.0f requests/s by the echo, %.0f by the server, %.2f of"
                                + " it%n",
                        round,
                        effort.httpRounds(),
                        setting.form().title(),
                        setting.rows(),
                        setting.describe(),
                        both.echo().requestsPerSecond(),
                        both.millrace().requestsPerSecond(),
                        both.millrace().requestsPerSecond() / both.echo().requestsPerSecond());
            }
        }
    }

    private int width() {
        return fixture.examples().floats()[0].length;
    }

    /// All batches of so many rows, one after the other in an array each.
    private List<float[]> batches(int rows) {
        float[][] all = fixture.examples().floats();
        int width = all[0].length;
        List<float[]> batches = new ArrayList<>();
        for (int batch = 0; batch < fixture.examples().count(rows); batch++) {
            float[] values = new float[rows * width];
            for (int row = 0; row < rows; row++) {
                System.arraycopy(all[batch * rows + row], 0, values, row * width, width);
            }
            batches.add(values);
        }
        return batches;
    }

    @Override
    public void close() {
        fixture.close();
    }

    /// Loads a server in a way.
    private interface Loader {
        Wrk.Load load(ServerProcess server, Setting setting, int seconds) throws IOException;
    }
}
