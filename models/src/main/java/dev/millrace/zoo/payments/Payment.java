// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

/// One simulated card payment. Everything except [#label()] is known at [#timeMs()]; the label has its own, later time.
/// Immutable, so any thread may read it.
///
/// @param id          1, 2, 3, … in order of time
/// @param timeMs      event time, milliseconds since the epoch, UTC
/// @param customer    [Customer#id()]
/// @param merchant    [Merchant#id()]
/// @param amountCents cents of a euro, positive
/// @param device      which device paid, [#CARD_TERMINAL] when the card itself was read at a terminal
/// @param cardPresent whether the card was read at a terminal
/// @param label       what is learned later
public record Payment(
        long id,
        long timeMs,
        int customer,
        int merchant,
        long amountCents,
        int device,
        boolean cardPresent,
        Label label) {

    /// The device of every payment made with the card itself.
    public static final int CARD_TERMINAL = 0;

    /// What is learned about a payment after it happened.
    ///
    /// @param fraud       the verdict as it will be reported, with its errors: some fraud is never noticed and some
    ///                    honest payments are disputed
    /// @param availableMs when the verdict can be known; nothing computed before that time may use it
    /// @param truth       what really happened; only for judging a model afterwards
    public record Label(boolean fraud, long availableMs, FraudPattern truth) {}

    /// The amount in euros.
    public double euros() {
        return amountCents / 100.0;
    }
}
