// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import dev.millrace.zoo.payments.Merchant.Category;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Who exists in the simulation: customers, merchants, and which merchants collude. Fixed once built.
final class Population {
    private static final int ONLINE_PER_CATEGORY = 4;
    private static final int MERCHANTS_PER_COLLUDER = 60;
    private static final double YEAR_MS = 365.0 * Trend.DAY_MS;

    private final List<Customer> customers = new ArrayList<>();
    private final List<Merchant> merchants = new ArrayList<>();
    private final List<Merchant> colluders = new ArrayList<>();
    private final Map<Category, List<Merchant>> online = new EnumMap<>(Category.class);
    private final Map<Category, Map<Country, List<Merchant>>> local = new EnumMap<>(Category.class);

    Population(PaymentSimulator.Settings settings, long startMs) {
        Draw draw = new Draw(settings.seed(), 1);
        for (int id = 0; id < settings.customers(); id++) {
            customers.add(customer(id, draw, startMs, settings.days() * Trend.DAY_MS));
        }
        addMerchants(settings.merchants(), draw);
        for (int i = 0; i < 1 + settings.merchants() / MERCHANTS_PER_COLLUDER; i++) {
            colluders.add(draw.any(merchants));
        }
    }

    private static Customer customer(int id, Draw draw, long startMs, long spanMs) {
        double[] homeShares = new double[Country.values().length];
        for (Country country : Country.values()) {
            homeShares[country.ordinal()] = country.homeShare();
        }
        Country home = Country.values()[draw.weighted(homeShares)];
        boolean opensDuringSimulation = draw.chance(0.08);
        long openedMs = opensDuringSimulation
                ? startMs + (long) draw.uniform(0, (double) spanMs)
                : startMs - (long) Math.min(draw.exponential(3 * YEAR_MS), 20 * YEAR_MS);
        return new Customer(
                id,
                home,
                openedMs,
                draw.logNormal(1.0, 0.45),
                draw.uniform(0.30, 0.70),
                Math.min(draw.logNormal(1.0, 0.7), 8.0),
                Math.clamp(draw.gaussian(14.5, 2.5), 7.0, 22.0),
                draw.uniform(0.1, 0.9));
    }

    private void addMerchants(int count, Draw draw) {
        double[] popularity = new double[Category.values().length];
        double[] homeShares = new double[Country.values().length];
        for (Country country : Country.values()) {
            homeShares[country.ordinal()] = country.homeShare() + 0.02;
        }
        for (Category category : Category.values()) {
            popularity[category.ordinal()] = category.popularity();
            online.put(category, new ArrayList<>());
            local.put(category, new EnumMap<>(Country.class));
            for (Country country : Country.values()) {
                local.get(category).put(country, new ArrayList<>());
                if (category.onlineShare() < 1) {
                    add(category, country, false, draw);
                }
            }
            for (int i = 0; i < ONLINE_PER_CATEGORY && category.onlineShare() > 0; i++) {
                add(category, Country.values()[draw.weighted(homeShares)], true, draw);
            }
        }
        while (merchants.size() < count) {
            Category category = Category.values()[draw.weighted(popularity)];
            Country country = Country.values()[draw.weighted(homeShares)];
            add(category, country, draw.chance(category.onlineShare()), draw);
        }
    }

    private void add(Category category, Country country, boolean isOnline, Draw draw) {
        Merchant merchant = new Merchant(merchants.size(), category, country, isOnline, draw.logNormal(1.0, 0.3));
        merchants.add(merchant);
        (isOnline ? online.get(category) : local.get(category).get(country)).add(merchant);
    }

    List<Customer> customers() {
        return List.copyOf(customers);
    }

    List<Merchant> merchants() {
        return List.copyOf(merchants);
    }

    List<Merchant> colluders() {
        return colluders;
    }

    /// The merchants that sell a category online, anywhere; empty if it is never sold online.
    List<Merchant> online(Category category) {
        return online.get(category);
    }

    /// The shops for a category in one country; empty if it is only sold online.
    List<Merchant> local(Category category, Country country) {
        return local.get(category).get(country);
    }
}
