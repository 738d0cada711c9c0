// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import dev.millrace.zoo.payments.Merchant.Category;
import dev.millrace.zoo.payments.PaymentSimulator.Actor;
import dev.millrace.zoo.payments.PaymentSimulator.Purchase;
import dev.millrace.zoo.payments.PaymentSimulator.Schedule;
import java.util.List;
import java.util.function.IntSupplier;

/// The honest behaviour of one customer: when, where, how much and with what; single-threaded.
///
/// Some of it looks suspicious on purpose: journeys abroad, new phones, rare large purchases, and sprees of small
/// payments in games. A model that flags all of those is wrong.
final class Shopper implements Actor {
    private static final double HOUR_MS = Trend.DAY_MS / 24.0;
    private static final double JOURNEY_CHANCE = 0.006;
    private static final double NEW_DEVICE_CHANCE = 0.004;
    private static final double LARGE_PURCHASE_CHANCE = 0.015;
    private static final double SPREE_CHANCE = 0.12;

    private final Customer customer;
    private final Population population;
    private final Trend trend;
    private final IntSupplier newDevice;
    private final Draw draw;
    private final double[] taste = new double[Category.values().length];
    private final Merchant[] favourites = new Merchant[Category.values().length];
    private int phone;
    private final int computer;
    private Country place;
    private long awayUntilMs;
    private int spreeLeft;

    Shopper(Customer customer, Population population, Trend trend, IntSupplier newDevice, Draw draw) {
        this.customer = customer;
        this.population = population;
        this.trend = trend;
        this.newDevice = newDevice;
        this.draw = draw;
        this.place = customer.home();
        this.phone = newDevice.getAsInt();
        this.computer = newDevice.getAsInt();
        for (Category category : Category.values()) {
            taste[category.ordinal()] = category.popularity() * draw.logNormal(1.0, 0.5);
        }
    }

    Customer customer() {
        return customer;
    }

    int phone() {
        return phone;
    }

    @Override
    public Purchase act(long nowMs, Schedule schedule) {
        schedule.at(spreeLeft > 0 ? nowMs + draw.exponentialMs(120_000) : nextTime(nowMs), this);
        if (spreeLeft > 0) {
            spreeLeft--;
            return purchase(favourites[Category.GAMING.ordinal()], draw.uniform(0.99, 4.99));
        }
        travel(nowMs);
        Category category = category(nowMs);
        Merchant merchant = merchant(category);
        if (category == Category.GAMING && draw.chance(SPREE_CHANCE)) {
            favourites[category.ordinal()] = merchant;
            spreeLeft = 2 + draw.below(4);
        }
        double price = category.medianEuros()
                * merchant.priceLevel()
                * customer.amountScale()
                * trend.priceFactor(nowMs)
                * draw.logNormal(1.0, customer.amountSpread());
        return purchase(merchant, draw.chance(LARGE_PURCHASE_CHANCE) ? price * draw.uniform(3, 10) : price);
    }

    /// The next time at which this customer pays: a Poisson process thinned by the time of day and the day of the week.
    long nextTime(long nowMs) {
        double meanGapMs = Trend.DAY_MS / customer.paymentsPerDay() * 0.36;
        long time = nowMs;
        do {
            time += draw.exponentialMs(meanGapMs);
        } while (!draw.chance(activity(time)));
        return time;
    }

    private double activity(long timeMs) {
        double localDays = (timeMs + customer.home().utcOffsetHours() * HOUR_MS) / Trend.DAY_MS;
        long day = (long) Math.floor(localDays);
        double distance = Math.abs((localDays - day) * 24 - customer.peakHour());
        double hours = Math.min(distance, 24 - distance) / 3.2;
        boolean weekend = Math.floorMod(day + 3, 7) >= 5; // the epoch was a Thursday; Monday is 0
        return (weekend ? 1.0 : 0.82) * (0.04 + 0.96 * StrictMath.exp(-0.5 * hours * hours));
    }

    private void travel(long nowMs) {
        if (nowMs >= awayUntilMs) {
            place = customer.home();
            if (draw.chance(JOURNEY_CHANCE)) {
                place = draw.any(List.of(Country.values()));
                awayUntilMs = nowMs + (long) (draw.uniform(2, 10) * Trend.DAY_MS);
            }
        }
    }

    private Category category(long nowMs) {
        double[] weights = new double[taste.length];
        for (Category category : Category.values()) {
            weights[category.ordinal()] = taste[category.ordinal()] * trend.categoryFactor(category, nowMs);
        }
        return Category.values()[draw.weighted(weights)];
    }

    private Merchant merchant(Category category) {
        boolean away = place != customer.home();
        Merchant favourite = favourites[category.ordinal()];
        if (favourite != null && !(away && !favourite.online()) && draw.chance(0.7)) {
            return favourite;
        }
        List<Merchant> shops = population.local(category, place);
        double online = 0.5 * (category.onlineShare() + customer.onlineShare());
        boolean atHome = category.onlineShare() > 0 && (shops.isEmpty() || draw.chance(online));
        Merchant merchant = draw.popular(atHome ? population.online(category) : shops);
        if (!away) {
            favourites[category.ordinal()] = merchant;
        }
        return merchant;
    }

    private Purchase purchase(Merchant merchant, double euros) {
        if (draw.chance(NEW_DEVICE_CHANCE)) {
            phone = newDevice.getAsInt();
        }
        boolean cardPresent = !merchant.online() && draw.chance(0.8);
        int device = draw.chance(0.7) || !merchant.online() ? phone : computer;
        return new Purchase(
                customer,
                merchant,
                PaymentSimulator.cents(euros),
                cardPresent ? Payment.CARD_TERMINAL : device,
                cardPresent,
                FraudPattern.NONE);
    }
}
