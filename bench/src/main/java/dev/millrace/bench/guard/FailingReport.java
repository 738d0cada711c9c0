// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Cell;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.report.Spread;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/// What came of bad rows and of failing models, for a report.
record FailingReport(Failing.Findings findings) implements Section {
    private static final double MOST_RATIO = 3;
    /// Whoever fails is told before that is counted, and may have asked again by then.
    private static final int ONE_MORE = 1;
    private static final long MOST_REFUSAL_NANOS = 1_000_000;
    /// The breaker's pauses: a second, and twice that after a probe that fails.
    private static final long ANSWERED_AT_NANOS = 3_000_000_000L;
    /// Requests come every millisecond, and somebody may have the core just then.
    private static final long SLACK_NANOS = 100_000_000;

    @Override
    public String broken() {
        Text broken = new Text();
        Failing.Batches one = findings.batches().get(1);
        if (one.failedMates() > 0) {
            broken.line("%d good rows failed in batches with one bad row.", one.failedMates());
        }
        findings.troubles().stream().filter(Failing.Troubles::withBreaker).forEach(each -> broken(broken, each));
        double ratio = Text.median(troubles(true), Failing.Troubles::ratio);
        if (ratio > MOST_RATIO) {
            broken.line("another model's p99 beside a failing one was %.2f times that alone.", ratio);
        }
        return broken.stripped();
    }

    private static void broken(Text broken, Failing.Troubles found) {
        int more = found.failedBefore() - Trouble.FAILURES;
        if (more < 0 || more > ONE_MORE || found.opened() != 1) {
            broken.line(
                    "the breaker opened %d times, after %d failures instead of %d.",
                    found.opened(), found.failedBefore(), Trouble.FAILURES);
        }
        if (found.refusals().count() == 0 || found.refusals().p99() >= MOST_REFUSAL_NANOS) {
            broken.line(
                    "p99 of %d refusals was %s µs.",
                    found.refusals().count(), Text.micros(found.refusals().p99()));
        }
        long late = found.answeredAt() - ANSWERED_AT_NANOS;
        if (found.answeredAt() == 0 || late > SLACK_NANOS || found.openLater()) {
            broken.line(
                    "a model that was good again was answered %.3f s after its breaker had opened, and that is %s.",
                    found.answeredAt() / 1e9, found.openLater() ? "open" : "closed");
        }
    }

    private List<Failing.Troubles> troubles(boolean withBreaker) {
        return findings.troubles().stream()
                .filter(each -> each.withBreaker() == withBreaker)
                .toList();
    }

    @Override
    public String markdown() {
        Text text = new Text().line("## Rows and models that fail").line("");
        text.line(
                "%s, batches of %d requests, run by one agent; a run that has a bad row does all of its work and fails"
                        + " then. Microseconds from when the batch may go until the last request was told; correctness:"
                        + " every answer was compared with the floor's.",
                findings.model(), Bisection.BATCH);
        text.head(
                "bad rows",
                "batches",
                "mates answered",
                "mates failed",
                "runs split in halves, per batch",
                "p50 without bad rows",
                "p99",
                "p50 with them",
                "p99",
                "p50 with / without");
        findings.batches()
                .forEach((bad, found) -> text.line(
                        "| %d | %d | %,d | %d | %.1f | %s | %s | %s | %s | %.2f |",
                        bad,
                        found.count(),
                        found.answered(),
                        found.failedMates(),
                        found.splits() / (double) found.count(),
                        Text.micros(found.healthy().p50()),
                        Text.micros(found.healthy().p99()),
                        Text.micros(found.bad().p50()),
                        Text.micros(found.bad().p99()),
                        found.ratio()));
        text.line("");
        text.line(
                "The same model failing at every request, one a millisecond, until %.1f s after its first refusal;"
                        + " beside it one thread asks %s as fast as it is answered; one agent. Seconds are from that"
                        + " refusal; median (min–max) of %d rounds.",
                Trouble.BAD_NANOS / 1e9, findings.light(), troubles(true).size());
        text.head(
                "breaker",
                "failed before it opened",
                "refused",
                "refusal p50 µs",
                "p99 µs",
                "max µs",
                "probes that failed, at s",
                "answered again at s",
                "other model's p99 alone, µs",
                "beside, µs",
                "beside / alone");
        row(text, "after 5 failures", troubles(true));
        row(text, "none", troubles(false));
        return text.toString();
    }

    private static void row(Text text, String name, List<Failing.Troubles> all) {
        text.line(
                "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |",
                name,
                Cell.whole(all, Failing.Troubles::failedBefore),
                Cell.whole(all, found -> found.refusals().count()),
                Text.micros(all, found -> found.refusals().p50()),
                Text.micros(all, found -> found.refusals().p99()),
                Text.micros(all, found -> found.refusals().max()),
                probes(all),
                Cell.decimal(all, found -> found.answeredAt() / 1e9),
                Text.micros(all, found -> found.alone().p99()),
                Text.micros(all, found -> found.beside().p99()),
                Cell.decimal(all, Failing.Troubles::ratio));
    }

    private static String probes(List<Failing.Troubles> all) {
        double[] seconds = all.stream()
                .flatMap(found -> found.probes().stream())
                .mapToDouble(nanos -> nanos / 1e9)
                .toArray();
        return seconds.length == 0 ? "–" : Cell.of(Spread.of(seconds), Cell::decimal);
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("failing");
        json.writeArrayFieldStart("batches");
        for (Map.Entry<Integer, Failing.Batches> entry : findings.batches().entrySet()) {
            Failing.Batches found = entry.getValue();
            json.writeStartObject();
            json.writeNumberField("badRows", entry.getKey());
            json.writeNumberField("count", found.count());
            json.writeNumberField("answered", found.answered());
            json.writeNumberField("failedMates", found.failedMates());
            json.writeNumberField("splits", found.splits());
            found.healthy().write(json, "healthy");
            found.bad().write(json, "bad");
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("troubles");
        for (Failing.Troubles found : findings.troubles()) {
            write(json, found);
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, Failing.Troubles found) throws IOException {
        json.writeStartObject();
        json.writeBooleanField("withBreaker", found.withBreaker());
        json.writeNumberField("failedBefore", found.failedBefore());
        json.writeArrayFieldStart("probeNanos");
        for (long probe : found.probes()) {
            json.writeNumber(probe);
        }
        json.writeEndArray();
        found.refusals().write(json, "refusals");
        json.writeNumberField("goodAtNanos", found.goodAt());
        json.writeNumberField("answeredAtNanos", found.answeredAt());
        json.writeNumberField("opened", found.opened());
        json.writeBooleanField("openLater", found.openLater());
        found.alone().write(json, "alone");
        found.beside().write(json, "beside");
        json.writeEndObject();
    }
}
