// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.runtime.Outcome;
import java.io.IOException;
import java.util.function.IntPredicate;
import java.util.function.IntToLongFunction;
import java.util.stream.IntStream;

/// What came of the requests that were due in a stretch of time.
///
/// @param nanos how long it is
/// @param offered requests that were due
/// @param refused of these, not accepted
/// @param expired of these, accepted and then expired
/// @param good answers that came in this time, each within the bound: what the load achieved, whenever it was due
/// @param accepted from when an accepted request was due until it ended, one way or another
/// @param refusal from when a request was submitted until it was refused
/// @param lateness from when a request was due until it was submitted: the generator's own fault
public record Account(
        long nanos,
        int offered,
        int refused,
        int expired,
        int good,
        Percentiles accepted,
        Percentiles refusal,
        Percentiles lateness) {
    /// @param from the stretch's begin, in nanoseconds from the ledger's start
    /// @param to its end
    /// @param bound nanoseconds within which an answer is good
    static Account of(Ledger ledger, long from, long to, long bound) {
        return of(ledger, from, to, bound, _ -> true);
    }

    /// The same, of some of the requests.
    public static Account of(Ledger ledger, long from, long to, long bound, IntPredicate which) {
        IntPredicate due = which.and(request -> ledger.due(request) >= from && ledger.due(request) < to);
        IntPredicate refused = ledger::isRefused;
        IntPredicate accepted = refused.negate();
        IntPredicate inTime = which.and(request ->
                ledger.isGood(request, bound) && ledger.ended(request) >= from && ledger.ended(request) < to);
        return new Account(
                to - from,
                count(ledger, due),
                count(ledger, due.and(refused)),
                count(ledger, due.and(accepted).and(request -> ledger.outcome(request) == Outcome.EXPIRED)),
                count(ledger, inTime),
                times(ledger, due.and(accepted), request -> ledger.ended(request) - ledger.due(request)),
                times(ledger, due.and(refused), request -> ledger.ended(request) - ledger.submitted(request)),
                times(ledger, due, request -> ledger.submitted(request) - ledger.due(request)));
    }

    private static int count(Ledger ledger, IntPredicate which) {
        return (int) IntStream.range(0, ledger.count()).filter(which).count();
    }

    private static Percentiles times(Ledger ledger, IntPredicate which, IntToLongFunction time) {
        return Percentiles.of(IntStream.range(0, ledger.count()).filter(which).mapToLong(time));
    }

    /// Answers in time, per second.
    public double goodput() {
        return good * 1e9 / nanos;
    }

    /// Requests that were accepted and answered, in time or not.
    int answered() {
        return accepted.count() - expired;
    }

    /// The part of the requests that was refused.
    public double refusedShare() {
        return refused / (double) Math.max(1, offered);
    }

    /// The part of the accepted requests that expired.
    double expiredShare() {
        return expired / (double) Math.max(1, accepted.count());
    }

    public void write(JsonGenerator json, String name) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("nanos", nanos);
        json.writeNumberField("offered", offered);
        json.writeNumberField("refused", refused);
        json.writeNumberField("expired", expired);
        json.writeNumberField("goodInThisTime", good);
        accepted.write(json, "accepted");
        refusal.write(json, "refusal");
        lateness.write(json, "lateness");
        json.writeEndObject();
    }
}
