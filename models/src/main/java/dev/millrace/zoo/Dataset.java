// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import dev.millrace.zoo.payments.FraudPattern;
import dev.millrace.zoo.payments.Payment;
import dev.millrace.zoo.payments.PaymentFeatures;
import dev.millrace.zoo.payments.PaymentSimulator;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Feature rows with their payments, in order of time. Immutable by convention: rows are not copied.
record Dataset(List<float[]> rows, List<Payment> payments) {

    /// Runs a simulation and computes every payment's row as of that payment's time.
    static Dataset simulate(PaymentSimulator.Settings settings) {
        PaymentSimulator simulator = new PaymentSimulator(settings);
        PaymentFeatures features = new PaymentFeatures(simulator.customers(), simulator.merchants());
        Dataset all = new Dataset(new ArrayList<>(), new ArrayList<>());
        while (simulator.hasNext()) {
            Payment payment = simulator.next();
            all.rows.add(features.next(payment));
            all.payments.add(payment);
        }
        return all;
    }

    /// The payments of the days [fromDay, toDay), counted from the simulation's start.
    Dataset days(int fromDay, int toDay) {
        int from = firstAtOrAfter(startOf(fromDay));
        int to = firstAtOrAfter(startOf(toDay));
        return new Dataset(rows.subList(from, to), payments.subList(from, to));
    }

    static long startOf(int day) {
        return PaymentSimulator.START_MS + Duration.ofDays(day).toMillis();
    }

    private int firstAtOrAfter(long timeMs) {
        int low = 0;
        int high = payments.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (payments.get(middle).timeMs() < timeMs) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    int size() {
        return rows.size();
    }

    /// The first payment and each that is so many after one that is in it.
    Dataset every(int step) {
        Dataset some = new Dataset(new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < size(); i += step) {
            some.rows.add(rows.get(i));
            some.payments.add(payments.get(i));
        }
        return some;
    }

    Dataset first(int count) {
        return new Dataset(rows.subList(0, count), payments.subList(0, count));
    }

    /// Writes a file with a header, the features by their names, and the verdict in the end as `fraud`, 0 or 1.
    void write(Path file) throws IOException {
        boolean[] labels = reportedFraud(Long.MAX_VALUE);
        try (Writer out = Files.newBufferedWriter(file)) {
            out.write(String.join(",", PaymentFeatures.names()) + ",fraud\n");
            for (int i = 0; i < labels.length; i++) {
                for (float value : rows.get(i)) {
                    out.write(value + ",");
                }
                out.write((labels[i] ? 1 : 0) + "\n");
            }
        }
    }

    /// The verdicts as reported; all of them must be known at the given time.
    boolean[] reportedFraud(long knownAtMs) {
        boolean[] labels = new boolean[size()];
        for (int i = 0; i < labels.length; i++) {
            Payment.Label label = payments.get(i).label();
            if (label.availableMs() > knownAtMs) {
                throw new IllegalStateException(
                        "the label of payment " + payments.get(i).id() + " is known at " + label.availableMs()
                                + " ms, after " + knownAtMs + " ms");
            }
            labels[i] = label.fraud();
        }
        return labels;
    }

    /// What really happened, which only a simulation can tell.
    boolean[] trueFraud() {
        boolean[] labels = new boolean[size()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = payments.get(i).label().truth() != FraudPattern.NONE;
        }
        return labels;
    }
}
