// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.millrace.zoo.payments.PaymentFeatures.Column;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class PaymentFeaturesTest {
    private static final PaymentSimulator WORLD = new PaymentSimulator(new PaymentSimulator.Settings(11, 30, 150, 200));
    private static final List<Payment> PAYMENTS = Payments.drain(WORLD);
    private static final List<float[]> ROWS = Payments.rows(WORLD, PAYMENTS);

    /// The point-in-time law: whatever happens after a payment leaves its row alone.
    @RepeatedTest(40)
    void shouldKeepTheRowWhenTheFutureChanges(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        int at = random.nextInt(PAYMENTS.size() - 1);

        List<Payment> changed = new ArrayList<>(PAYMENTS.subList(0, at + 1));
        for (Payment later : PAYMENTS.subList(at + 1, PAYMENTS.size())) {
            if (random.nextBoolean()) {
                changed.add(disturbed(later, random));
            }
        }

        List<float[]> rows = Payments.rows(WORLD, changed);
        for (int i = 0; i <= at; i++) {
            assertThat(rows.get(i)).as("row %d of %d", i, at).isEqualTo(ROWS.get(i));
        }
    }

    /// A label that is not available yet has no influence, the payment's own label never has.
    @RepeatedTest(40)
    void shouldKeepTheRowWhenAnUnknownLabelChanges(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        int at = random.nextInt(PAYMENTS.size());
        long now = PAYMENTS.get(at).timeMs();

        List<Payment> changed = new ArrayList<>();
        for (Payment payment : PAYMENTS.subList(0, at + 1)) {
            boolean unknown = payment.label().availableMs() > now;
            changed.add(
                    unknown
                            ? with(
                                    payment,
                                    new Payment.Label(
                                            random.nextBoolean(),
                                            now + 1 + random.nextInt(1_000_000),
                                            FraudPattern.COLLUSION))
                            : payment);
        }

        assertThat(Payments.rows(WORLD, changed).get(at)).isEqualTo(ROWS.get(at));
    }

    @Test
    void shouldIgnoreTheTruth() {
        List<Payment> whitewashed = PAYMENTS.stream()
                .map(p -> with(p, new Payment.Label(p.label().fraud(), p.label().availableMs(), FraudPattern.NONE)))
                .toList();

        assertThat(Payments.rows(WORLD, whitewashed)).usingRecursiveComparison().isEqualTo(ROWS);
    }

    @Test
    void shouldLearnFromALabelOnceItsTimeHasCome() {
        Payment base = PAYMENTS.getFirst();
        long known = base.timeMs() + 1000;
        List<Payment> stream = List.of(
                with(base, new Payment.Label(true, known, FraudPattern.STOLEN_CARD)),
                at(base, known - 1),
                at(base, known));

        List<float[]> rows = Payments.rows(WORLD, stream);

        for (Column column : List.of(Column.CATEGORY_RISK, Column.MERCHANT_RISK)) {
            assertThat(value(rows.get(1), column)).isLessThan(value(rows.get(0), column));
            assertThat(value(rows.get(2), column)).isGreaterThan(value(rows.get(0), column));
        }
    }

    @Test
    void shouldAgreeWithDefinitionsComputedFromScratch() {
        PlainFeatures plain = new PlainFeatures(WORLD.customers(), WORLD.merchants(), PAYMENTS);
        for (int i = 0; i < PAYMENTS.size(); i += 7) {
            assertThat(ROWS.get(i))
                    .as("payment %d", i)
                    .usingComparatorWithPrecision(1e-4f)
                    .containsExactly(plain.row(i));
        }
    }

    @Test
    void shouldStartFromDefinedValuesWithoutAPast() {
        float[] row = ROWS.getFirst();

        assertThat(row).hasSize(22);
        for (float value : row) {
            assertThat(value).isFinite();
        }
        assertThat(value(row, Column.AMOUNT_TO_MEAN_LOG)).isZero();
        assertThat(value(row, Column.AMOUNT_Z)).isZero();
        assertThat(value(row, Column.NEW_DEVICE)).isOne();
        assertThat(value(row, Column.COUNT_24H)).isZero();
        assertThat(value(row, Column.CATEGORY_RISK)).isEqualTo(0.005f);
    }

    @Test
    void shouldNameColumnsOnceAndInOrder() {
        assertThat(PaymentFeatures.names())
                .hasSize(PaymentFeatures.size())
                .doesNotHaveDuplicates()
                .startsWith("amount_log", "amount_to_mean_log")
                .endsWith("merchant_count_1h");
    }

    @Test
    void shouldRefusePaymentsOutOfOrder() {
        PaymentFeatures features = new PaymentFeatures(WORLD.customers(), WORLD.merchants());
        features.next(PAYMENTS.get(10));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> features.next(PAYMENTS.getFirst()))
                .withMessageContaining("in order of time");
    }

    private static float value(float[] row, Column column) {
        return row[column.ordinal()];
    }

    private static Payment disturbed(Payment p, Random random) {
        Payment.Label label = new Payment.Label(
                random.nextBoolean(), p.timeMs() + 1 + random.nextInt(1_000_000), FraudPattern.COLLUSION);
        return new Payment(
                p.id(),
                p.timeMs(),
                random.nextInt(WORLD.customers().size()),
                random.nextInt(WORLD.merchants().size()),
                1 + random.nextInt(1_000_000),
                random.nextInt(500),
                random.nextBoolean(),
                label);
    }

    private static Payment with(Payment p, Payment.Label label) {
        return new Payment(
                p.id(), p.timeMs(), p.customer(), p.merchant(), p.amountCents(), p.device(), p.cardPresent(), label);
    }

    private static Payment at(Payment p, long timeMs) {
        return new Payment(
                p.id(),
                timeMs,
                p.customer(),
                p.merchant(),
                p.amountCents(),
                p.device(),
                p.cardPresent(),
                new Payment.Label(false, timeMs + PaymentSimulator.DISPUTE_WINDOW_MS, FraudPattern.NONE));
    }
}
