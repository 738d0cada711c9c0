// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.ClosedLoop.Timing;
import dev.millrace.bench.HttpBench.Both;
import dev.millrace.bench.decode.Document;
import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.wire.EchoServer;
import dev.millrace.bench.wire.HttpContestant;
import dev.millrace.bench.wire.Post;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.bench.wire.Wrk;
import dev.millrace.model.TensorSpec;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A light model and heavy ones on one server: what each heavy one takes over HTTP, pictures among them, and how long
/// the light one takes while the others are asked, too.
///
/// A heavy model's floors are the echo, which takes in the same body, and the model by the C API. The light model's
/// floor is the echo, a process beside the server, while the server is asked for the heavy models just as much.
///
/// Threads: one, and the background's. Ownership: it closes what it opens.
final class HttpMix implements AutoCloseable {
    /// The compilers of two cores need so long, most of all if pictures come between.
    private static final int WARM_UP_SECONDS = 15;
    private static final int ECHO_WARM_UP_SECONDS = 10;
    /// How long a load is.
    private static final int SECONDS = 1;

    /// Connections that ask for the light model.
    static final List<Integer> CONNECTIONS = List.of(1, 8);

    /// The heavy models that are asked at the same time, one request of each always on its way.
    enum Load {
        NONE("none", List.of()),
        NUMBERS("mlp-256-1024-1024-512-1 and trees-500x8", List.of(BenchModels.LARGE_MLP, BenchModels.TREES)),
        ALL("all three", Mix.HEAVY);

        private final String title;
        private final List<String> models;

        Load(String title, List<String> models) {
            this.title = title;
            this.models = models;
        }

        String title() {
            return title;
        }
    }

    /// A heavy model by itself.
    ///
    /// @param run by the C API, without HTTP
    /// @param echo the same bodies to the echo
    /// @param millrace over HTTP
    record Alone(Timing run, Timing echo, Timing millrace) {}

    /// The light model under a load.
    ///
    /// @param light by `wrk`
    /// @param heavyRows per second, answered by the server the while, all heavy models together
    record Loaded(Wrk.Load light, double heavyRows) {}

    /// Among which models, and on how many connections, the light one was asked.
    record Setting(Load load, int connections) {}

    /// All that was found out.
    ///
    /// @param requestBytes by model the length of a request's body
    /// @param alone by heavy model one per round
    /// @param loaded by setting one pair per round
    record Findings(
            Map<String, Integer> requestBytes,
            Map<String, List<Alone>> alone,
            Map<Setting, List<Both<Loaded>>> loaded) {}

    private final Effort effort;
    private final PrintStream progress;
    private final Path log;
    private final Asked light;
    private final Map<String, Asked> heavy = new LinkedHashMap<>();

    /// @param log gets what the servers and `wrk` print
    HttpMix(Effort effort, PrintStream progress, Path log) {
        this.effort = effort;
        this.progress = progress;
        this.log = log;
        this.light = new Asked(BenchModels.MLP.name());
        Mix.HEAVY.forEach(name -> heavy.put(name, new Asked(name)));
    }

    /// Measures, if there is `wrk`; otherwise says how to get it.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong or missing
    Optional<Findings> measure() throws IOException {
        Optional<Path> program = HttpBench.findWrk(progress);
        if (program.isEmpty()) {
            return Optional.empty();
        }
        try (ServerProcess millrace = millrace()) {
            check(millrace.port());
            progress.println("over HTTP all models answer like the floor");
            try (ServerProcess echo = ServerProcess.start(
                            log, EchoServer.class, EchoServer.argument(light.answer(millrace.port())));
                    Wrk wrk = new Wrk(program.get(), light.requests.getFirst(), log)) {
                Findings findings = measure(wrk, new Both<>(echo.port(), millrace.port()));
                check(millrace.port());
                return Optional.of(findings);
            }
        }
    }

    private ServerProcess millrace() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("serve", "--http-port", "0", "--event-loops", "1"));
        for (Asked each : all()) {
            arguments.addAll(
                    List.of("--model-repository", each.fixture.repository().toString()));
        }
        return ServerProcess.startMillrace(log, arguments);
    }

    private List<Asked> all() {
        return Stream.concat(Stream.of(light), heavy.values().stream()).toList();
    }

    /// Lets a server with all models through the gate.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if it answers one otherwise than the floor
    void check(int port) throws IOException {
        for (Asked each : all()) {
            try (Contestant client = each.client(port)) {
                each.fixture.gate().check(each.fixture.name() + " over HTTP", client, 1);
            }
        }
    }

    private Findings measure(Wrk wrk, Both<Integer> ports) throws IOException {
        Map<String, Integer> bytes = new LinkedHashMap<>();
        all().forEach(each ->
                bytes.put(each.fixture.name(), each.requests.getFirst().body().length));
        Findings findings = new Findings(bytes, new LinkedHashMap<>(), new LinkedHashMap<>());
        warmUp(wrk, ports.echo(), ECHO_WARM_UP_SECONDS);
        warmUp(wrk, ports.millrace(), WARM_UP_SECONDS);
        for (int round = 1; round <= effort.rounds(); round++) {
            for (Asked each : heavy.values()) {
                Alone alone = alone(each, ports);
                add(findings.alone(), each.fixture.name(), alone);
                progress.printf(
                        "round %d of %d: %s over HTTP: p50 %.0f µs, the echo's %.0f µs, its run's %.0f µs%n",
                        round,
                        effort.rounds(),
                        each.fixture.name(),
                        alone.millrace().p50() / 1e3,
                        alone.echo().p50() / 1e3,
                        alone.run().p50() / 1e3);
            }
            for (Load load : Load.values()) {
                for (int connections : CONNECTIONS) {
                    Both<Loaded> both = loaded(wrk, ports, load, connections);
                    add(findings.loaded(), new Setting(load, connections), both);
                    progress.printf(
                            "round %d of %d: beside %s, %d connections: p50 %.0f µs, the echo's %.0f µs%n",
                            round,
                            effort.rounds(),
                            load.title(),
                            connections,
                            both.millrace().light().p50(),
                            both.echo().light().p50());
                }
            }
        }
        return findings;
    }

    private static <K, V> void add(Map<K, List<V>> lists, K key, V value) {
        lists.computeIfAbsent(key, _ -> new ArrayList<>()).add(value);
    }

    /// All at once, the light model on most connections.
    private void warmUp(Wrk wrk, int port, int time) throws IOException {
        try (Clients clients = clients(Load.ALL, port);
                HttpBackground _ = new HttpBackground(clients.list())) {
            wrk.run(light.url(port), CONNECTIONS.getLast(), time);
        }
    }

    private Alone alone(Asked model, Both<Integer> ports) throws IOException {
        long nanos = SECONDS * 1_000_000_000L;
        ClosedLoop loop = new ClosedLoop(model.fixture);
        try (Contestant run = model.fixture.contestant(Route.FLOOR, 1);
                Contestant echo = model.client(ports.echo());
                Contestant millrace = model.client(ports.millrace())) {
            return new Alone(loop.time(run, nanos / 2), loop.time(echo, nanos), loop.time(millrace, nanos));
        }
    }

    /// The light model by the echo and by the server, while the server is asked for the heavy ones.
    private Both<Loaded> loaded(Wrk wrk, Both<Integer> ports, Load load, int connections) throws IOException {
        try (Clients clients = clients(load, ports.millrace());
                HttpBackground background = new HttpBackground(clients.list())) {
            return new Both<>(
                    loaded(wrk, ports.echo(), background, connections),
                    loaded(wrk, ports.millrace(), background, connections));
        }
    }

    private Loaded loaded(Wrk wrk, int port, HttpBackground background, int connections) throws IOException {
        long before = background.rows();
        long start = System.nanoTime();
        Wrk.Load load = wrk.run(light.url(port), connections, SECONDS);
        return new Loaded(load, (background.rows() - before) * 1e9 / (System.nanoTime() - start));
    }

    private Clients clients(Load load, int port) throws IOException {
        Clients clients = new Clients(new ArrayList<>());
        for (String name : load.models) {
            Asked model = heavy.get(name);
            clients.list().add(new HttpBackground.Client(model.client(port), model.requests.size()));
        }
        return clients;
    }

    @Override
    public void close() {
        all().forEach(each -> each.fixture.close());
    }

    /// One client per model that is asked in the background.
    private record Clients(List<HttpBackground.Client> list) implements AutoCloseable {
        @Override
        public void close() {
            list.forEach(each -> each.client().close());
        }
    }

    /// A model and the requests for its examples.
    private static final class Asked {
        private final Fixture fixture;
        private final String path;
        private final List<Post> requests = new ArrayList<>();

        Asked(String name) {
            fixture = Fixture.open(BenchModels.named(name));
            path = "/v2/models/" + name + "/infer";
            TensorSpec input = fixture.signature().inputs().getFirst();
            String shape = input.shape().toString().replace("-1", "1");
            for (float[] row : fixture.examples().floats()) {
                requests.add(Post.json(path, Document.request(input.name(), shape, row)));
            }
        }

        String url(int port) {
            return "http://127.0.0.1:" + port + path;
        }

        HttpContestant client(int port) throws IOException {
            return new HttpContestant(port, requests);
        }

        /// What the server answers to the first row.
        byte[] answer(int port) throws IOException {
            try (HttpContestant client = client(port)) {
                client.run(0);
                return client.wire();
            }
        }
    }
}
