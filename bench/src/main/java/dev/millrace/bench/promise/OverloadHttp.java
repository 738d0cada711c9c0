// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.route.Fixture;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The same overload over HTTP: the server is a process of its own with one event loop and one agent, the generator
/// spins beside it and gives way where others want its core.
///
/// Threads: one. Ownership: it closes what it opens.
public final class OverloadHttp implements AutoCloseable {
    /// What is measured again and again.
    ///
    /// @param bound the deadline, and what an answer must keep to be good
    /// @param tells whether requests name it
    /// @param load the overload as a multiple of the capacity
    record Trial(Duration bound, boolean tells, double load) {}

    /// All that was found out.
    ///
    /// @param model its name
    /// @param requestBytes the length of a request, head and body
    /// @param before MiB that the server has in RAM before the first load that counts
    /// @param after MiB after the last
    record Findings(
            String model, int requestBytes, Map<Trial, List<Overload.Result>> trials, double before, double after) {}

    private static final Duration TIGHT = Duration.ofMillis(10);
    private static final Duration WIDE = Duration.ofMillis(50);
    private static final int WARM_UPS = 10;

    private final int rounds;
    private final long nanos;
    private final PrintStream progress;
    private final Fixture fixture = Fixture.open(BenchModels.named(BenchModels.STEADY));
    private final Questions questions = new Questions(fixture);
    private final Server server;
    private final HttpStation station;

    /// @param rounds times that everything is measured
    /// @param millis how long a closed loop is; an overload takes four times as long
    /// @param progress gets a line per trial
    public OverloadHttp(int rounds, int millis, PrintStream progress, Server.Starter servers) throws IOException {
        this.rounds = rounds;
        this.nanos = millis * 1_000_000L;
        this.progress = progress;
        this.server = servers.start(List.of(
                "serve",
                "--model-repository",
                fixture.repository().toString(),
                "--http-port",
                "0",
                "--event-loops",
                "1",
                "--agents",
                "1"));
        this.station = new HttpStation(server.port(), fixture, questions);
    }

    static List<Trial> trials() {
        return List.of(
                new Trial(TIGHT, true, 0.5),
                new Trial(TIGHT, true, 1),
                new Trial(TIGHT, true, 2),
                new Trial(WIDE, true, 2),
                new Trial(TIGHT, false, 2));
    }

    /// Measures everything, once the server's compilers are done.
    ///
    /// @throws dev.millrace.bench.route.Gate.Refusal if an answer was wrong
    public Section measure() {
        return new OverloadHttpReport(measure(trials()));
    }

    Findings measure(List<Trial> trials) {
        Map<Trial, List<Overload.Result>> results = new LinkedHashMap<>();
        trials.forEach(trial -> results.put(trial, new ArrayList<>()));
        OpenLoop loop = new OpenLoop(station, System::nanoTime);
        station.timeout(Station.NO_TIMEOUT);
        for (int i = 0; i < WARM_UPS; i++) {
            loop.saturate(nanos);
        }
        double before = server.residentMebibytes();
        for (int round = 1; round <= rounds; round++) {
            for (Trial trial : trials) {
                Overload.Result result =
                        Overload.measure(station, trial.bound().toNanos(), trial.tells(), trial.load(), nanos, round);
                results.get(trial).add(result);
                progress.printf(
                        "overload by HTTP, round %d of %d: %d ms, %.1f of the capacity: %.2f of it answered in time%n",
                        round, rounds, trial.bound().toMillis(), trial.load(), result.goodput());
            }
        }
        return new Findings(
                fixture.name(),
                HttpStation.request(fixture, TIGHT.toNanos(), questions.row(0)).remaining(),
                results,
                before,
                server.residentMebibytes());
    }

    @Override
    public void close() {
        station.close();
        server.close();
        fixture.close();
    }
}
