// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/// Helpers for tests.
final class Payments {
    private Payments() {}

    static List<Payment> drain(Iterator<Payment> payments) {
        List<Payment> all = new ArrayList<>();
        payments.forEachRemaining(all::add);
        return all;
    }

    /// The rows of all payments, computed in one pass.
    static List<float[]> rows(PaymentSimulator world, List<Payment> payments) {
        PaymentFeatures features = new PaymentFeatures(world.customers(), world.merchants());
        return payments.stream().map(features::next).toList();
    }
}
