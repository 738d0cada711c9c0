// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.report.Machine;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.bench.route.Route;
import dev.millrace.bench.route.Settings;
import dev.millrace.bench.route.Unavailable;
import dev.millrace.model.TensorSpec;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.openjdk.jmh.runner.RunnerException;

/// One model by all routes: first the gate, then JMH.
///
/// Threads: one; what is timed runs in processes of its own.
final class ModelBench {
    /// What is wanted.
    ///
    /// @param model the file
    /// @param batches rows per call, ascending
    /// @param anyBatch whether sizes that the model does not take are left out; otherwise they are an error
    /// @param routes the floor first
    /// @param settings how it is asked
    /// @param effort how long is measured
    record Plan(
            Path model,
            List<Integer> batches,
            boolean anyBatch,
            List<Route> routes,
            Settings settings,
            Effort effort) {}

    /// A route that is not timed for a batch size, and why.
    record Omission(Route route, int batch, String reason) {}

    /// What was found out.
    ///
    /// @param plan what was wanted
    /// @param machine where, by [Machine#describe(String)]
    /// @param subject what the model is
    /// @param floorNote what the floor is where it cannot be prebound
    /// @param latencies per case one per round
    /// @param unable who cannot ask this model like this
    /// @param refused who answers wrongly or fails
    record Findings(
            Plan plan,
            Map<String, String> machine,
            Map<String, String> subject,
            Optional<String> floorNote,
            Map<Case, List<Latency>> latencies,
            List<Omission> unable,
            List<Omission> refused) {}

    private final Plan plan;
    private final PrintStream progress;
    private final PrintStream log;
    private final List<Omission> unable = new ArrayList<>();
    private final List<Omission> refused = new ArrayList<>();

    /// @param progress gets a line per step
    /// @param log gets JMH's output
    ModelBench(Plan plan, PrintStream progress, PrintStream log) {
        this.plan = plan;
        this.progress = progress;
        this.log = log;
    }

    /// @throws Unavailable if the model cannot be asked like this
    /// @throws Gate.Refusal if the floor itself does not answer its rows in a batch as alone
    Findings measure() throws RunnerException {
        Map<String, String> subject;
        Optional<String> floorNote;
        List<Case> cases;
        try (Fixture fixture = Fixture.open(plan.model().toString(), plan.settings())) {
            List<Integer> batches = batches(fixture);
            subject = describe(fixture);
            floorNote = fixture.floorObstacle(batches.getFirst());
            cases = admit(fixture, batches);
        }
        Map<Case, List<Latency>> latencies =
                new LatencyRunner(plan.effort(), plan.settings(), progress, log).measure(cases);
        return new Findings(plan, Machine.describe(null), subject, floorNote, latencies, unable, refused);
    }

    private List<Integer> batches(Fixture fixture) {
        if (!fixture.examples().hasBatch() && plan.anyBatch()) {
            return List.of(1);
        }
        plan.batches().forEach(fixture.examples()::requireBatch);
        return plan.batches();
    }

    private static Map<String, String> describe(Fixture fixture) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("inputs", specs(fixture.signature().inputs()));
        facts.put("outputs", specs(fixture.signature().outputs()));
        facts.put("rows", fixture.batching().kind() + ", " + fixture.batching().reason());
        return facts;
    }

    private static String specs(List<TensorSpec> specs) {
        return String.join(
                ", ",
                specs.stream()
                        .map(spec -> spec.name() + " " + spec.datatype() + spec.shape())
                        .toList());
    }

    /// Lets all routes through the gate and returns those who passed.
    private List<Case> admit(Fixture fixture, List<Integer> batches) {
        List<Case> admitted = new ArrayList<>();
        Gate gate = fixture.gate();
        for (int batch : batches) {
            for (Route route : plan.routes()) {
                try {
                    gate.check(route, batch);
                    admitted.add(new Case(plan.model().toString(), route, batch));
                } catch (Unavailable e) {
                    omit(unable, "cannot", route, batch, e);
                } catch (Gate.Refusal e) {
                    omit(refused, "is refused", route, batch, e);
                }
            }
        }
        progress.printf(
                "%d of %d ways to ask answer like the floor%n",
                admitted.size(), batches.size() * plan.routes().size());
        return admitted;
    }

    private void omit(List<Omission> list, String how, Route route, int batch, RuntimeException why) {
        if (route == Route.FLOOR) {
            throw why;
        }
        list.add(new Omission(route, batch, why.getMessage()));
        progress.printf("batch %d, %s: %s: %s%n", batch, route.title(), how, why.getMessage());
    }
}
