// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import dev.millrace.runtime.Call;
import dev.millrace.runtime.Completion;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.Prediction;
import dev.millrace.runtime.Request;
import dev.millrace.runtime.Turner;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Those who ask a runtime in its own process, in every way there is: they wait, are told, turn, or hold futures.
/// Threads: each is for one thread; somebody else cancels.
final class Callers {
    private static final int WINDOW = 8;
    private static final long FUTURE_SECONDS = 60;
    private static final long CANCEL_PAUSE_NANOS = 2_000_000;

    private final Millrace runtime;
    private final Pace pace;
    private final Tally tally;
    private final Queue<Asker> askers = new ConcurrentLinkedQueue<>();
    /// Set before the runtime is closed under its callers.
    private volatile boolean closing;

    Callers(Millrace runtime, Pace pace, Tally tally) {
        this.runtime = runtime;
        this.pace = pace;
        this.tally = tally;
    }

    /// From now on requests may be refused because the runtime closes.
    void closing() {
        closing = true;
    }

    /// Asks and waits.
    void call(SplittableRandom random) {
        try (Asker asker = new Asker(random)) {
            while (pace.goesOn()) {
                asker.prepare();
                asker.end(asker.call.run());
                pace.pause(random);
            }
        }
    }

    /// Keeps several requests in flight and is told.
    void beTold(SplittableRandom random) {
        loop(random, null);
    }

    /// The same as an event loop that turns by itself.
    void turn(SplittableRandom random) {
        loop(random, runtime.turner());
    }

    private void loop(SplittableRandom random, Turner turner) {
        List<Flight> flights = Stream.generate(() -> new Flight(new Asker(random)))
                .limit(WINDOW)
                .toList();
        while (pace.goesOn() || !flights.stream().allMatch(Flight::hasLanded)) {
            for (Flight flight : flights) {
                if (flight.hasLanded() && pace.goesOn()) {
                    flight.takeOff(turner);
                }
            }
            if (turner != null) {
                turner.turn();
            }
            pace.pause(random);
            Thread.yield();
        }
        flights.forEach(Flight::close);
    }

    /// Asks with arrays, and holds futures or waits.
    void predict(SplittableRandom random) {
        while (pace.goesOn()) {
            Question question = pace.question(random);
            Model model = runtime.model(question.subject().model());
            boolean timed = random.nextInt(4) == 0;
            Request request = model.request().set(question.subject().input(), question.shape(), question.array());
            if (timed) {
                request.timeout(Duration.ofNanos(random.nextLong(1, 20_000_000)));
            }
            boolean cancelled = random.nextInt(10) == 0;
            predict(model, request, question, timed, cancelled);
            pace.pause(random);
        }
    }

    private void predict(Model model, Request request, Question question, boolean timed, boolean cancelled) {
        Outcome outcome;
        String problem = null;
        try {
            CompletableFuture<Prediction> future = model.predictAsync(request);
            if (cancelled) {
                future.cancel(true);
                return;
            }
            Prediction prediction = future.get(FUTURE_SECONDS, TimeUnit.SECONDS);
            outcome = Outcome.OK;
            problem = question.wrong((float[]) prediction.outputs().getFirst().values());
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof InferenceException ended)) {
                throw new IllegalStateException(e);
            }
            outcome = ended.outcome();
            problem = ended.getMessage();
        } catch (InferenceException e) {
            outcome = e.outcome();
            problem = e.getMessage();
        } catch (TimeoutException _) {
            tally.wrong("a future of " + question.subject() + " did not end: lost");
            return;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return;
        }
        tally.told(question.subject(), outcome);
        judge(question, outcome, problem, timed, false, "a future");
    }

    /// Cancels calls at random, until it is over.
    void cancelAtRandom(SplittableRandom random) {
        while (pace.goesOn()) {
            List<Asker> all = List.copyOf(askers);
            if (!all.isEmpty()) {
                all.get(random.nextInt(all.size())).cancel();
            }
            LockSupport.parkNanos(random.nextLong(2 * CANCEL_PAUSE_NANOS));
        }
    }

    private void judge(
            Question question, Outcome outcome, String problem, boolean timed, boolean cancelled, String how) {
        Subject subject = question.subject();
        boolean allowed = switch (outcome) {
            case OK -> problem == null;
            case OVERLOADED -> true;
            case EXPIRED -> timed || subject.hasTimeout();
            case CANCELLED -> cancelled;
            case FAILED -> subject.mayFail();
            case UNAVAILABLE -> closing || subject.mayFail();
            case TOO_LARGE, INVALID, NOT_FOUND -> false;
        };
        if (!allowed) {
            tally.wrong(how + " of " + subject + " ended as " + outcome + (problem == null ? "" : ": " + problem));
        }
    }

    /// A call, what it asks now, and who may have cancelled it.
    private final class Asker implements AutoCloseable {
        private final SplittableRandom random;
        private final Map<Subject, Call> calls;
        private volatile Call call;
        private Question question;
        private boolean timed;
        private boolean malformed;
        /// Cancellations may hit this request or the next: whoever was cancelled lately may end so.
        private volatile boolean cancelled;

        Asker(SplittableRandom random) {
            this.random = random.split();
            calls = Stream.of(Subject.values())
                    .collect(Collectors.toMap(
                            subject -> subject,
                            subject -> runtime.model(subject.model()).call()));
            call = calls.get(Subject.FRAUD);
            askers.add(this);
        }

        void prepare() {
            question = pace.question(random);
            cancelled = false;
            call = calls.get(question.subject());
            question.fill(call);
            malformed = random.nextInt(100) == 0;
            if (malformed) {
                call.input(0).reshape(3, 7, 5);
            }
            timed = random.nextInt(3) == 0;
            call.timeoutNanos(
                    timed ? random.nextLong(1, random.nextInt(4) == 0 ? 200_000 : 20_000_000) : Call.NO_TIMEOUT);
            call.priority(random.nextInt(5));
        }

        void cancel() {
            cancelled = true;
            call.cancel();
        }

        /// The request has ended, or was refused.
        void end(Outcome outcome) {
            tally.told(question.subject(), outcome);
            if (malformed) {
                if (outcome != Outcome.INVALID) {
                    tally.wrong("a malformed request to " + question.subject() + " ended as " + outcome);
                }
                return;
            }
            String problem = outcome == Outcome.OK ? question.wrong(call) : call.message();
            Callers.this.judge(question, outcome, problem, timed, cancelled, "a call");
        }

        @Override
        public void close() {
            askers.remove(this);
            calls.values().forEach(Call::close);
        }
    }

    /// An asker that is told.
    private final class Flight implements Completion {
        private final Asker asker;
        private final AtomicInteger told = new AtomicInteger();
        private volatile Outcome outcome;
        private int submitted;

        Flight(Asker asker) {
            this.asker = asker;
        }

        @Override
        public void completed(Call call, Outcome ended) {
            outcome = ended;
            told.getAndIncrement();
        }

        /// Whether nothing is in flight; judges what was.
        boolean hasLanded() {
            int times = told.get();
            if (times > submitted) {
                tally.wrong("told " + times + " times for " + submitted + " accepted requests: double");
            }
            if (times < submitted) {
                return false;
            }
            if (outcome != null) {
                asker.end(outcome);
                outcome = null;
            }
            return true;
        }

        void takeOff(Turner turner) {
            asker.prepare();
            submitted++;
            Outcome admission = turner == null ? asker.call.submit(this) : turner.submit(asker.call, this);
            if (admission != Outcome.OK) {
                submitted--;
                asker.end(admission);
            }
        }

        void close() {
            if (told.get() != submitted) {
                tally.wrong("told " + told + " times for " + submitted + " accepted requests at the end");
            }
            asker.close();
        }
    }
}
