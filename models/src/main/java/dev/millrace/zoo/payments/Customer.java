// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

/// A simulated card holder: facts known to a bank first, habits that only the simulation knows after them.
/// Immutable, so any thread may read it.
///
/// @param id              position in the list of customers, from 0
/// @param home            where the customer lives
/// @param accountOpenedMs when the account was opened; there are no payments before it
/// @param amountScale     habit: factor on every price, around 1
/// @param amountSpread    habit: standard deviation of the natural logarithm of amounts
/// @param paymentsPerDay  habit: mean number of honest payments a day
/// @param peakHour        habit: local hour of most activity, 0 to 24
/// @param onlineShare     habit: share of payments made online where the category allows a choice, 0 to 1
public record Customer(
        int id,
        Country home,
        long accountOpenedMs,
        double amountScale,
        double amountSpread,
        double paymentsPerDay,
        double peakHour,
        double onlineShare) {}
