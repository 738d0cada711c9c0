// SPDX-License-Identifier: Apache-2.0

/// A simulated world of card payments and the features that score them.
///
/// **Everything here is simulated.** No customer, merchant, device or payment exists; the countries carry codes that
/// ISO 3166 leaves free for private use. The rates, amounts and fraud patterns were chosen to make a useful exercise,
/// not measured anywhere.
///
///     PaymentSimulator ─► Payment (event time, and a Label with its own later time) ─► PaymentFeatures ─► float row
///       Population          who exists: Customer, Merchant
///       Shopper             honest behaviour of one customer
///       FraudCampaigns      fraud, by FraudPattern
///       Trend               what changes over the weeks
///
/// Amounts are cents of a euro, times are milliseconds since the epoch in UTC. Nothing here is thread-safe.
package dev.millrace.zoo.payments;
