// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.payments;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.zoo.payments.Merchant.Category;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class PaymentSimulatorTest {
    private static final PaymentSimulator.Settings WORLD = new PaymentSimulator.Settings(5, 84, 800, 300);
    private static final PaymentSimulator SIMULATOR = new PaymentSimulator(WORLD);
    private static final List<Merchant> MERCHANTS = SIMULATOR.merchants();
    private static final List<Customer> CUSTOMERS = SIMULATOR.customers();
    private static final List<Payment> PAYMENTS = Payments.drain(SIMULATOR);

    @Test
    void shouldRepeatItselfWhenSettingsAreEqual() {
        PaymentSimulator again = new PaymentSimulator(WORLD);

        assertThat(again.customers()).isEqualTo(CUSTOMERS);
        assertThat(again.merchants()).isEqualTo(MERCHANTS);
        assertThat(Payments.drain(again)).isEqualTo(PAYMENTS);
    }

    @Test
    void shouldDifferWhenSeedDiffers() {
        PaymentSimulator other = new PaymentSimulator(new PaymentSimulator.Settings(6, 84, 800, 300));

        assertThat(other.next()).isNotEqualTo(PAYMENTS.getFirst());
    }

    @Test
    void shouldStreamInOrderOfTimeWithConsecutiveNumbers() {
        long end = PaymentSimulator.START_MS + 84 * Trend.DAY_MS;
        for (int i = 0; i < PAYMENTS.size(); i++) {
            Payment payment = PAYMENTS.get(i);
            assertThat(payment.id()).isEqualTo(i + 1L);
            assertThat(payment.timeMs()).isBetween(PaymentSimulator.START_MS, end - 1);
            if (i > 0) {
                assertThat(payment.timeMs())
                        .isGreaterThanOrEqualTo(PAYMENTS.get(i - 1).timeMs());
            }
        }
    }

    @Test
    void shouldRevealLabelsAfterThePaymentAndWithinTheDisputeWindow() {
        assertThat(PAYMENTS).allSatisfy(payment -> {
            long delay = payment.label().availableMs() - payment.timeMs();
            assertThat(delay).isBetween(1L, PaymentSimulator.DISPUTE_WINDOW_MS);
            if (!payment.label().fraud()) {
                assertThat(delay).isEqualTo(PaymentSimulator.DISPUTE_WINDOW_MS);
            }
        });
    }

    @Test
    void shouldKeepFactsConsistent() {
        assertThat(PAYMENTS).allSatisfy(payment -> {
            assertThat(payment.amountCents()).isPositive();
            assertThat(payment.cardPresent()).isEqualTo(payment.device() == Payment.CARD_TERMINAL);
            assertThat(payment.timeMs())
                    .isGreaterThan(CUSTOMERS.get(payment.customer()).accountOpenedMs());
            assertThat(payment.cardPresent()
                            && MERCHANTS.get(payment.merchant()).online())
                    .isFalse();
        });
    }

    @Test
    void shouldHaveRatesOfARareButPresentFraud() {
        double perCustomerAndDay = PAYMENTS.size() / (84.0 * 800);
        double fraud = share(PAYMENTS, p -> p.label().truth() != FraudPattern.NONE);

        assertThat(perCustomerAndDay).isBetween(0.7, 1.8);
        assertThat(fraud).isBetween(0.004, 0.015);
        Map<FraudPattern, Integer> counts = new EnumMap<>(FraudPattern.class);
        PAYMENTS.forEach(p -> counts.merge(p.label().truth(), 1, Integer::sum));
        assertThat(counts).containsOnlyKeys(FraudPattern.values());
        assertThat(counts.values()).allMatch(count -> count >= 20);
    }

    @Test
    void shouldMakeLabelsNoisyInBothDirections() {
        List<Payment> frauds = where(p -> p.label().truth() != FraudPattern.NONE);
        List<Payment> honest = where(p -> p.label().truth() == FraudPattern.NONE);

        assertThat(share(frauds, p -> p.label().fraud())).isBetween(0.90, 0.99);
        assertThat(share(honest, p -> p.label().fraud())).isBetween(0.00005, 0.001);
    }

    @Test
    void shouldFollowTheHoursOfTheDayAndTheWeek() {
        List<Payment> honest = where(p -> p.label().truth() == FraudPattern.NONE);

        double night = share(honest, p -> localHour(p) < 6);
        double weekend = share(
                honest,
                p -> Instant.ofEpochMilli(p.timeMs())
                                .atZone(ZoneOffset.UTC)
                                .getDayOfWeek()
                                .getValue()
                        >= 6);

        assertThat(night).isLessThan(0.10);
        assertThat(weekend).isBetween(0.30, 0.36);
        assertThat(share(where(p -> p.label().truth() == FraudPattern.STOLEN_CARD), p -> localHour(p) < 6))
                .isGreaterThan(0.4);
    }

    @Test
    void shouldTestCardsWithSmallAmountsAndStealLargeOnes() {
        List<Payment> tests = where(p -> p.label().truth() == FraudPattern.CARD_TESTING);
        List<Payment> stolen = where(p -> p.label().truth() == FraudPattern.STOLEN_CARD);

        assertThat(share(tests, p -> p.euros() <= 4)).isGreaterThan(0.85);
        assertThat(share(stolen, p -> p.euros() >= 60)).isGreaterThan(0.7);
        assertThat(share(
                        stolen,
                        p -> MERCHANTS.get(p.merchant()).country()
                                != CUSTOMERS.get(p.customer()).home()))
                .isGreaterThan(0.5);
    }

    @Test
    void shouldShiftSpendingAndPricesInTheLastWeeks() {
        Predicate<Payment> honest = p -> p.label().truth() == FraudPattern.NONE;
        List<Payment> early = where(honest.and(p -> p.timeMs() < PaymentSimulator.START_MS + 28 * Trend.DAY_MS));
        List<Payment> late = where(honest.and(p -> p.timeMs() >= PaymentSimulator.START_MS + 74 * Trend.DAY_MS));
        Predicate<Payment> digital = p -> isDigital(MERCHANTS.get(p.merchant()).category());

        assertThat(share(late, digital)).isGreaterThan(1.3 * share(early, digital));
        Trend trend = new Trend(PaymentSimulator.START_MS, 84);
        assertThat(trend.priceFactor(PaymentSimulator.START_MS)).isEqualTo(1);
        assertThat(trend.priceFactor(PaymentSimulator.START_MS + 50 * Trend.DAY_MS))
                .isCloseTo(1.04, within(1e-9));
        assertThat(trend.shift(PaymentSimulator.START_MS + 63 * Trend.DAY_MS)).isZero();
        assertThat(trend.shift(PaymentSimulator.START_MS + 73 * Trend.DAY_MS)).isOne();
    }

    @Test
    void shouldWriteCsvWithHeaderAndOneLinePerPayment() throws IOException {
        StringWriter out = new StringWriter();
        new PaymentSimulator(new PaymentSimulator.Settings(5, 1, 50, 150)).writeCsv(out);
        List<String> lines = out.toString().lines().toList();

        assertThat(lines.getFirst())
                .startsWith("payment_id,event_time,customer_id,")
                .endsWith("true_pattern");
        assertThat(lines).hasSizeGreaterThan(20).allMatch(line -> line.split(",").length == 14);
        assertThat(lines.subList(1, lines.size())).allMatch(line -> line.split(",")[8].matches("[0-9]+\\.[0-9]{2}"));
    }

    @Test
    void shouldRefuseAWorldThatCannotBeBuilt() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new PaymentSimulator.Settings(1, 0, 10, 200))
                .withMessageContaining("days=0");
    }

    private static boolean isDigital(Category category) {
        return category == Category.DIGITAL || category == Category.GAMING;
    }

    private static double localHour(Payment payment) {
        long offsetMs = CUSTOMERS.get(payment.customer()).home().utcOffsetHours() * Trend.DAY_MS / 24;
        return Math.floorMod(payment.timeMs() + offsetMs, Trend.DAY_MS) * 24.0 / Trend.DAY_MS;
    }

    private static List<Payment> where(Predicate<Payment> matches) {
        return PAYMENTS.stream().filter(matches).toList();
    }

    private static double share(List<Payment> payments, Predicate<Payment> matches) {
        return payments.stream().filter(matches).count() / (double) payments.size();
    }
}
