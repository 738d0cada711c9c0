// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

/// A simulated merchant. Immutable, so any thread may read it.
///
/// @param id         position in the list of merchants, from 0
/// @param category   what is sold
/// @param country    where the merchant is registered
/// @param online     whether it sells over the network only, without a card being present
/// @param priceLevel factor on the category's prices, around 1
public record Merchant(int id, Category category, Country country, boolean online, double priceLevel) {

    /// What a merchant sells, with the simulation's prices.
    public enum Category {
        GROCERY(32, 0.05, 0.24),
        FUEL(48, 0.0, 0.10),
        RESTAURANT(24, 0.10, 0.16),
        PHARMACY(18, 0.15, 0.06),
        FASHION(55, 0.50, 0.09),
        HOME(70, 0.40, 0.06),
        ELECTRONICS(140, 0.60, 0.05),
        TRAVEL(210, 0.80, 0.03),
        DIGITAL(9, 1.0, 0.11),
        GAMING(15, 1.0, 0.06),
        GIFT_CARDS(40, 0.80, 0.02),
        JEWELLERY(160, 0.30, 0.02);

        private final double medianEuros;
        private final double onlineShare;
        private final double popularity;

        Category(double medianEuros, double onlineShare, double popularity) {
            this.medianEuros = medianEuros;
            this.onlineShare = onlineShare;
            this.popularity = popularity;
        }

        /// Median price of one purchase on the first simulated day, in euros.
        public double medianEuros() {
            return medianEuros;
        }

        /// Share of purchases made online, 0 to 1; at 0 or 1 there is no other kind.
        double onlineShare() {
            return onlineShare;
        }

        /// Share of an average customer's payments, before personal taste and trend.
        double popularity() {
            return popularity;
        }
    }
}
