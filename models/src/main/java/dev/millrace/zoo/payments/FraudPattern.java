// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

/// What a simulated payment really is. Only the simulation knows; no feature may look at it.
public enum FraudPattern {
    /// An honest payment.
    NONE,
    /// A burst of tiny online payments within minutes that finds out whether a card works.
    CARD_TESTING,
    /// Sudden high amounts at risky shops, mostly at night and far from home.
    STOLEN_CARD,
    /// Somebody else's device pays online as the customer, over hours, in plausible amounts.
    ACCOUNT_TAKEOVER,
    /// A merchant charges many different cards for goods that never existed.
    COLLUSION
}
