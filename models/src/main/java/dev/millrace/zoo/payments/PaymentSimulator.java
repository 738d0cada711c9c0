// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import java.util.function.IntSupplier;

/// Streams simulated card payments in order of time; single-threaded, memory proportional to the population.
///
/// Equal settings give equal payments on every machine: all randomness comes from the seed, through algorithms that
/// Java specifies to the bit. **The data is simulated**; no rate or amount was measured anywhere.
public final class PaymentSimulator implements Iterator<Payment> {
    /// First simulated instant, a Monday.
    public static final long START_MS = Instant.parse("2026-01-05T00:00:00Z").toEpochMilli();

    /// After this time without a complaint a payment counts as honest: the latest time at which any label is known.
    public static final long DISPUTE_WINDOW_MS = Duration.ofDays(10).toMillis();

    private static final double UNNOTICED_FRAUD = 0.04;
    private static final double DISPUTED_HONEST = 0.0003;
    private static final double COMPLAINT_MEDIAN_MS = 3.0 * Trend.DAY_MS;

    private final Population population;
    private final Draw labels;
    private final long endMs;
    private final PriorityQueue<Turn> turns =
            new PriorityQueue<>(Comparator.comparingLong(Turn::timeMs).thenComparingLong(Turn::order));
    private final Schedule schedule = this::schedule;
    private long scheduled;
    private long emitted;
    private Payment upcoming;

    /// What to simulate.
    ///
    /// @param seed      where all randomness comes from
    /// @param days      length in days; the trends of the last three weeks want at least 28
    /// @param customers number of customers, who pay about 1.3 times a day on average
    /// @param merchants number of merchants; at least 150, so that every country has its shops
    public record Settings(long seed, int days, int customers, int merchants) {
        /// The world that the example model was trained on: twelve weeks, 4,000 customers.
        public static final Settings DEFAULT = new Settings(20260105, 84, 4000, 600);

        public Settings {
            if (days < 1 || customers < 1 || merchants < 150) {
                throw new IllegalArgumentException("need days >= 1, customers >= 1 and merchants >= 150, got days="
                        + days + ", customers=" + customers + ", merchants=" + merchants);
            }
        }
    }

    /// Somebody who does something at a time that was scheduled for it.
    interface Actor {
        /// Acts at the given time; returns the purchase made, or null.
        Purchase act(long nowMs, Schedule schedule);
    }

    /// Where actors put what happens later.
    interface Schedule {
        void at(long timeMs, Actor actor);
    }

    /// A payment before it has a number and a label.
    record Purchase(
            Customer customer,
            Merchant merchant,
            long amountCents,
            int device,
            boolean cardPresent,
            FraudPattern truth) {}

    private record Turn(long timeMs, long order, Actor actor) {}

    public PaymentSimulator(Settings settings) {
        this.population = new Population(settings, START_MS);
        this.labels = new Draw(settings.seed(), 2);
        this.endMs = START_MS + settings.days() * Trend.DAY_MS;
        Trend trend = new Trend(START_MS, settings.days());
        int[] lastDevice = {Payment.CARD_TERMINAL};
        IntSupplier newDevice = () -> ++lastDevice[0];
        List<Shopper> shoppers = new ArrayList<>();
        for (Customer customer : population.customers()) {
            Draw draw = new Draw(settings.seed(), 1000 + customer.id());
            Shopper shopper = new Shopper(customer, population, trend, newDevice, draw);
            shoppers.add(shopper);
            schedule(shopper.nextTime(Math.max(START_MS, customer.accountOpenedMs())), shopper);
        }
        FraudCampaigns fraud = new FraudCampaigns(shoppers, population, trend, newDevice, new Draw(settings.seed(), 3));
        schedule(fraud.nextTime(START_MS), fraud);
        upcoming = advance();
    }

    /// The customers; a payment's `customer` is a position in this list.
    public List<Customer> customers() {
        return population.customers();
    }

    /// The merchants; a payment's `merchant` is a position in this list.
    public List<Merchant> merchants() {
        return population.merchants();
    }

    @Override
    public boolean hasNext() {
        return upcoming != null;
    }

    @Override
    public Payment next() {
        if (upcoming == null) {
            throw new NoSuchElementException("the simulated time is over");
        }
        Payment payment = upcoming;
        upcoming = advance();
        return payment;
    }

    /// An amount in whole cents, at least one.
    static long cents(double euros) {
        return Math.max(1, Math.round(euros * 100));
    }

    private void schedule(long timeMs, Actor actor) {
        if (timeMs < endMs) {
            turns.add(new Turn(timeMs, scheduled++, actor));
        }
    }

    private Payment advance() {
        for (Turn turn = turns.poll(); turn != null; turn = turns.poll()) {
            Purchase purchase = turn.actor().act(turn.timeMs(), schedule);
            if (purchase != null) {
                return new Payment(
                        ++emitted,
                        turn.timeMs(),
                        purchase.customer().id(),
                        purchase.merchant().id(),
                        purchase.amountCents(),
                        purchase.device(),
                        purchase.cardPresent(),
                        label(turn.timeMs(), purchase.truth()));
            }
        }
        return null;
    }

    private Payment.Label label(long timeMs, FraudPattern truth) {
        boolean reported =
                truth == FraudPattern.NONE ? labels.chance(DISPUTED_HONEST) : !labels.chance(UNNOTICED_FRAUD);
        long delayMs = 1 + (long) labels.logNormal(COMPLAINT_MEDIAN_MS, 0.7);
        long availableMs = timeMs + (reported ? Math.min(delayMs, DISPUTE_WINDOW_MS) : DISPUTE_WINDOW_MS);
        return new Payment.Label(reported, availableMs, truth);
    }

    /// Writes all remaining payments as comma-separated values with a header; times are ISO 8601 in UTC, amounts euros.
    public void writeCsv(Writer out) throws IOException {
        out.write("payment_id,event_time,customer_id,customer_country,account_opened,merchant_id,merchant_category,"
                + "merchant_country,amount_eur,device_id,card_present,label_available_time,reported_fraud,"
                + "true_pattern\n");
        List<Customer> customers = customers();
        List<Merchant> merchants = merchants();
        while (hasNext()) {
            Payment p = next();
            Customer customer = customers.get(p.customer());
            Merchant merchant = merchants.get(p.merchant());
            out.write(p.id() + "," + Instant.ofEpochMilli(p.timeMs()) + "," + p.customer() + "," + customer.home() + ","
                    + Instant.ofEpochMilli(customer.accountOpenedMs()) + "," + p.merchant() + ","
                    + merchant.category() + "," + merchant.country() + ","
                    + p.amountCents() / 100 + (p.amountCents() % 100 < 10 ? ".0" : ".") + p.amountCents() % 100 + ","
                    + p.device() + "," + p.cardPresent() + ","
                    + Instant.ofEpochMilli(p.label().availableMs()) + ","
                    + p.label().fraud() + "," + p.label().truth() + "\n");
        }
    }

    /// Prints simulated payments as CSV: `[seed [days [customers [merchants]]]]`.
    public static void main(String[] args) throws IOException {
        Settings base = Settings.DEFAULT;
        Settings settings = new Settings(
                args.length > 0 ? Long.parseLong(args[0]) : base.seed(),
                args.length > 1 ? Integer.parseInt(args[1]) : base.days(),
                args.length > 2 ? Integer.parseInt(args[2]) : base.customers(),
                args.length > 3 ? Integer.parseInt(args[3]) : base.merchants());
        try (Writer out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8))) {
            new PaymentSimulator(settings).writeCsv(out);
        }
    }
}
