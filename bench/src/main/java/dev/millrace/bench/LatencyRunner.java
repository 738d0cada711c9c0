// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.route.Settings;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/// Measures all cases, round by round, each by JMH in a process of its own.
final class LatencyRunner {
    private static final String ALLOCATION = "gc.alloc.rate.norm";

    private final Effort effort;
    private final Settings settings;
    private final PrintStream progress;
    private final OutputFormat log;

    /// @param settings how every model is asked
    /// @param progress gets a line per case
    /// @param log gets JMH's own output
    LatencyRunner(Effort effort, Settings settings, PrintStream progress, PrintStream log) {
        this.effort = effort;
        this.settings = settings;
        this.progress = progress;
        this.log = OutputFormatFactory.createFormatInstance(log, VerboseMode.NORMAL);
    }

    /// One measurement per round for each case, in the order of the cases.
    ///
    /// @throws RunnerException if a process failed; the log tells more
    Map<Case, List<Latency>> measure(List<Case> cases) throws RunnerException {
        Map<Case, List<Latency>> all = new LinkedHashMap<>();
        cases.forEach(each -> all.put(each, new ArrayList<>()));
        for (int round = 1; round <= effort.rounds(); round++) {
            for (Case each : cases) {
                Latency latency = measure(each);
                all.get(each).add(latency);
                progress.printf(
                        "round %d of %d: %s: p50 %.0f ns, %.0f B%n",
                        round, effort.rounds(), each.describe(), latency.p50(), latency.bytes());
            }
        }
        return all;
    }

    private Latency measure(Case subject) throws RunnerException {
        RunResult result = run(subject);
        var samples = result.getPrimaryResult().getStatistics();
        return new Latency(
                samples.getMean(),
                samples.getPercentile(50),
                samples.getPercentile(99),
                samples.getPercentile(99.9),
                result.getSecondaryResults().get(allocationKey(result)).getScore());
    }

    /// Older versions of JMH put a dot before it.
    private static String allocationKey(RunResult result) {
        var keys = result.getSecondaryResults().keySet();
        return keys.stream()
                .filter(key -> key.endsWith(ALLOCATION))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("JMH measured no allocation, only " + keys));
    }

    private RunResult run(Case subject) throws RunnerException {
        TimeValue time = TimeValue.milliseconds(effort.iterationMillis());
        Options options = new OptionsBuilder()
                .include(LatencyBench.class.getName() + ".answer")
                .param("model", subject.model())
                .param("route", subject.route().name())
                .param("batch", Integer.toString(subject.batch()))
                .param("settings", settings.encode())
                .mode(Mode.SampleTime)
                .forks(1)
                .warmupIterations(effort.warmups())
                .warmupTime(time)
                .measurementIterations(effort.iterations())
                .measurementTime(time)
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true)
                .build();
        return new Runner(options, log).runSingle();
    }
}
