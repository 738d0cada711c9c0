// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/// Runs cases one after the other, each on a thread of its own that it watches: a server that hangs fails the case and
/// nothing else. Threads: one.
final class Runner {
    private static final Duration TICK = Duration.ofMillis(50);

    private final Address address;
    private final String model;
    private final Duration timeout;

    /// @param model the one that requests of every form are tried on; null for the suite's own
    /// @param timeout how long the server may take for each thing that it is asked
    Runner(Address address, String model, Duration timeout) {
        this.address = address;
        this.model = model;
        this.timeout = timeout;
    }

    /// Runs cases in their order.
    ///
    /// @param listener hears of each result as soon as it is there
    /// @throws IOException if there is no server
    List<Result> run(List<Case> cases, Consumer<Result> listener) throws IOException, InterruptedException {
        Target target = new Target(address, model, extensions());
        List<Result> results = new ArrayList<>();
        for (Case test : cases) {
            Result result = run(test, target);
            results.add(result);
            listener.accept(result);
        }
        return results;
    }

    /// What the server lists. One that does not tell lists none.
    private Set<String> extensions() throws IOException, InterruptedException {
        Set<String> found = new HashSet<>();
        AtomicReference<IOException> problem = new AtomicReference<>();
        Target nobody = new Target(address, model, Set.of());
        Case discovery = Case.required(0, "server.extensions", "", "", session -> {
            try {
                session.connect().close();
            } catch (IOException e) {
                problem.set(e);
            }
            found.addAll(session.get("/v2").ok().json().get("extensions").texts());
            return null;
        });
        run(discovery, nobody);
        if (problem.get() != null) {
            throw problem.get();
        }
        return found;
    }

    private Result run(Case test, Target target) throws InterruptedException {
        if (test.extension() != null && !target.lists(test.extension())) {
            return new Result(
                    test, Verdict.SKIPPED, "", "", "the server does not list the extension " + test.extension(), 0);
        }
        long start = System.nanoTime();
        try (Session session = new Session(target, timeout)) {
            AtomicReference<Result> ended = new AtomicReference<>();
            Thread worker = Thread.ofVirtual().start(() -> ended.set(judged(test, session, start)));
            while (!worker.join(TICK)) {
                if (session.isOverdue()) {
                    session.abort();
                    worker.join(timeout);
                    return result(test, Verdict.FAILED, session, unanswered(), start);
                }
            }
            return ended.get();
        }
    }

    private String unanswered() {
        return "no answer within " + timeout.toMillis() + " ms";
    }

    private Result judged(Case test, Session session, long start) {
        try {
            String note = test.check().run(session);
            return result(test, Verdict.PASSED, session, note == null ? "" : note, start);
        } catch (Unmet e) {
            return result(test, e.verdict(test.level()), session, e.getMessage(), start);
        } catch (IOException e) {
            return result(test, Verdict.FAILED, session, "no answer: " + e.getMessage(), start);
        } catch (RuntimeException e) {
            return result(test, Verdict.FAILED, session, "the case itself failed: " + e, start);
        }
    }

    private static Result result(Case test, Verdict verdict, Session session, String note, long start) {
        long millis = (System.nanoTime() - start) / 1_000_000;
        return new Result(test, verdict, session.sent(), session.came(), note, millis);
    }
}
