// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import dev.millrace.zoo.payments.Merchant.Category;
import dev.millrace.zoo.payments.PaymentSimulator.Actor;
import dev.millrace.zoo.payments.PaymentSimulator.Purchase;
import dev.millrace.zoo.payments.PaymentSimulator.Schedule;
import java.util.List;
import java.util.function.IntSupplier;

/// The simulated criminals: campaigns start at random times, each some payments planned ahead; single-threaded.
final class FraudCampaigns implements Actor {
    private static final double CAMPAIGNS_PER_DAY_AND_CUSTOMER = 1.6 / 1000;
    private static final double MINUTE_MS = 60_000;
    private static final List<Category> TESTED_AT = List.of(Category.DIGITAL, Category.GAMING, Category.GIFT_CARDS);
    private static final List<Category> SOLD_ON =
            List.of(Category.ELECTRONICS, Category.JEWELLERY, Category.GIFT_CARDS, Category.TRAVEL);
    private static final List<Category> SENT_HOME =
            List.of(Category.FASHION, Category.ELECTRONICS, Category.GIFT_CARDS, Category.DIGITAL);

    private final List<Shopper> shoppers;
    private final Population population;
    private final Trend trend;
    private final IntSupplier newDevice;
    private final Draw draw;

    FraudCampaigns(List<Shopper> shoppers, Population population, Trend trend, IntSupplier newDevice, Draw draw) {
        this.shoppers = shoppers;
        this.population = population;
        this.trend = trend;
        this.newDevice = newDevice;
        this.draw = draw;
    }

    @Override
    public Purchase act(long nowMs, Schedule schedule) {
        schedule.at(nextTime(nowMs), this);
        double shift = trend.shift(nowMs);
        double[] weights = {0.16 * (1 - 0.6 * shift), 0.46, 0.34 * (1 + 0.9 * shift), 0.04};
        switch (draw.weighted(weights)) {
            case 0 -> testCard(nowMs, schedule);
            case 1 -> useStolenCard(nowMs, schedule);
            case 2 -> takeOverAccount(nowMs, schedule);
            default -> collude(nowMs, schedule);
        }
        return null;
    }

    long nextTime(long nowMs) {
        return nowMs + draw.exponentialMs(Trend.DAY_MS / (CAMPAIGNS_PER_DAY_AND_CUSTOMER * shoppers.size()));
    }

    private void testCard(long nowMs, Schedule schedule) {
        Customer victim = victim(nowMs).customer();
        int device = newDevice.getAsInt();
        long time = nowMs;
        for (int left = 4 + draw.below(10); left > 0; left--) {
            Merchant merchant = draw.any(population.online(draw.any(TESTED_AT)));
            plan(
                    schedule,
                    time,
                    new Purchase(
                            victim,
                            merchant,
                            PaymentSimulator.cents(draw.uniform(0.5, 4.0)),
                            device,
                            false,
                            FraudPattern.CARD_TESTING));
            time += draw.exponentialMs(MINUTE_MS);
        }
        if (draw.chance(0.4)) {
            Merchant merchant = draw.any(population.online(Category.ELECTRONICS));
            double euros = price(merchant) * draw.uniform(1.5, 4);
            plan(
                    schedule,
                    time + draw.exponentialMs(30 * MINUTE_MS),
                    new Purchase(
                            victim, merchant, PaymentSimulator.cents(euros), device, false, FraudPattern.CARD_TESTING));
        }
    }

    private void useStolenCard(long nowMs, Schedule schedule) {
        Customer victim = victim(nowMs).customer();
        Country place = draw.chance(0.75) ? draw.any(List.of(Country.values())) : victim.home();
        long time = draw.chance(0.65) ? nextNight(nowMs, victim.home()) : nowMs;
        for (int left = 1 + draw.below(6); left > 0; left--) {
            Merchant merchant = draw.any(population.local(draw.any(SOLD_ON), place));
            double euros = price(merchant) * victim.amountScale() * draw.logNormal(1.8, 0.5);
            boolean cardPresent = draw.chance(0.85);
            int device = cardPresent ? Payment.CARD_TERMINAL : newDevice.getAsInt();
            plan(
                    schedule,
                    time,
                    new Purchase(
                            victim,
                            merchant,
                            PaymentSimulator.cents(euros),
                            device,
                            cardPresent,
                            FraudPattern.STOLEN_CARD));
            time += draw.exponentialMs(40 * MINUTE_MS);
        }
    }

    private void takeOverAccount(long nowMs, Schedule schedule) {
        Customer victim = victim(nowMs).customer();
        int device = newDevice.getAsInt();
        long time = nowMs;
        for (int left = 2 + draw.below(6); left > 0; left--) {
            Merchant merchant = draw.popular(population.online(draw.any(SENT_HOME)));
            double euros = price(merchant) * victim.amountScale() * draw.logNormal(1.5, 0.5);
            plan(
                    schedule,
                    time,
                    new Purchase(
                            victim,
                            merchant,
                            PaymentSimulator.cents(euros),
                            device,
                            false,
                            FraudPattern.ACCOUNT_TAKEOVER));
            time += draw.exponentialMs(150 * MINUTE_MS);
        }
    }

    private void collude(long nowMs, Schedule schedule) {
        Merchant merchant = draw.any(population.colluders());
        long time = nowMs;
        for (int left = 10 + draw.below(30); left > 0; left--) {
            Shopper victim = victim(nowMs);
            double euros = 5 * Math.rint(price(merchant) * draw.uniform(1.0, 2.5) / 5 + 1);
            plan(
                    schedule,
                    time,
                    new Purchase(
                            victim.customer(),
                            merchant,
                            PaymentSimulator.cents(euros),
                            victim.phone(),
                            false,
                            FraudPattern.COLLUSION));
            time += draw.exponentialMs(100 * MINUTE_MS);
        }
    }

    private static void plan(Schedule schedule, long timeMs, Purchase purchase) {
        schedule.at(timeMs, (now, later) -> purchase);
    }

    private Shopper victim(long nowMs) {
        Shopper victim;
        do {
            victim = draw.any(shoppers);
        } while (victim.customer().accountOpenedMs() > nowMs);
        return victim;
    }

    private static double price(Merchant merchant) {
        return merchant.category().medianEuros() * merchant.priceLevel();
    }

    /// A time between midnight and five in the coming night of a country.
    private long nextNight(long nowMs, Country country) {
        long offsetMs = country.utcOffsetHours() * 60L * 60_000;
        long nextMidnight = (Math.floorDiv(nowMs + offsetMs, Trend.DAY_MS) + 1) * Trend.DAY_MS - offsetMs;
        return nextMidnight + (long) draw.uniform(0, 5 * 60 * MINUTE_MS);
    }
}
