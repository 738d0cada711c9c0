// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millrace.spec.FeatureSpec;
import dev.millrace.store.Durability;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.FieldType;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import dev.millrace.zoo.payments.Payment;
import dev.millrace.zoo.payments.PaymentFeatures;
import dev.millrace.zoo.payments.PaymentSimulator;
import dev.millrace.zoo.payments.PaymentViews;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The example model's specification against the program that its training rows came from: payments as they come, and
/// what is stored about who pays and who is paid, give the rows that the model was trained on.
class FraudFeaturesTest {
    private static final Path EXAMPLE = Path.of("../models/payments");
    private static final PaymentSimulator.Settings WORLD = new PaymentSimulator.Settings(11, 30, 80, 150);
    private static final long FROM_MS = PaymentSimulator.START_MS + 20L * 86_400_000;
    /// Times of day are whole seconds here and milliseconds there.
    private static final double OF_HOUR = 1e-4;

    @TempDir
    private Path folder;

    private static ViewSchema[] schemas() throws IOException {
        List<ViewSchema> schemas = new ArrayList<>();
        for (String view : List.of("customers", "merchants", "known_merchants", "known_devices")) {
            schemas.add(ViewSchema.parse(Files.readString(EXAMPLE.resolve("fraud/data/" + view + ".schema"))));
        }
        return schemas.toArray(ViewSchema[]::new);
    }

    @Test
    void shouldMakeTheRowsThatTheModelWasTrainedOn() throws IOException {
        FeaturePlan plan =
                FeaturePlan.compile(FeatureSpec.read(EXAMPLE.resolve("fraud/1").resolve(FeatureSpec.FILE_NAME)));
        assertThat(plan.columns()).isEqualTo(PaymentFeatures.names());
        PaymentSimulator simulator = new PaymentSimulator(WORLD);
        PaymentFeatures features = new PaymentFeatures(simulator.customers(), simulator.merchants());
        PaymentViews views = new PaymentViews(features);
        float[] expected = new float[plan.width()];
        float[] came = new float[plan.width()];
        int rows = 0;
        try (EmbeddedStore store =
                        EmbeddedStore.open(folder, new StoreOptions(Durability.PROCESS, 1 << 10, 64 << 20), schemas());
                FeatureRow row = plan.newRow(new StoreSource(store))) {
            while (simulator.hasNext()) {
                Payment payment = simulator.next();
                if (payment.timeMs() >= FROM_MS) {
                    features.compute(payment, expected);
                    write(store, views.of(payment), payment.timeMs() * 1000);
                    assertThat(plan.write(fill(plan, row, payment), MemorySegment.ofArray(came), 0))
                            .as(row.problem())
                            .isTrue();
                    for (int i = 0; i < came.length; i++) {
                        String name = plan.columns().get(i);
                        double off = name.startsWith("hour_") ? OF_HOUR : 2e-7 * Math.max(1, Math.abs(expected[i]));
                        assertThat(came[i]).as("%s of %s", name, payment).isCloseTo(expected[i], within((float) off));
                    }
                    rows++;
                }
                features.observe(payment);
            }
        }
        assertThat(rows).isGreaterThan(500);
    }

    private static FeatureRow fill(FeaturePlan plan, FeatureRow row, Payment payment) {
        String customer = payment.customer() + ":";
        return row.begin(payment.timeMs() * 1000)
                .set(plan.field("customer_id"), payment.customer())
                .set(plan.field("merchant_id"), payment.merchant())
                .set(plan.field("customer_merchant"), customer + payment.merchant())
                .set(plan.field("customer_device"), customer + payment.device())
                .set(plan.field("amount"), payment.euros())
                .set(plan.field("card_present"), payment.cardPresent());
    }

    private static void write(EmbeddedStore store, Map<String, Map<String, Object>> rows, long micros)
            throws IOException {
        WriteBatch batch = new WriteBatch();
        rows.forEach((name, values) -> {
            View view = store.view(name);
            Object key = values.get(view.schema().key().name());
            if (key instanceof Long number) {
                batch.row(view, number, micros, micros);
            } else {
                batch.row(view, key.toString(), micros, micros);
            }
            for (int i = 0; i < view.schema().fields().size(); i++) {
                put(
                        batch,
                        i,
                        view.schema().fields().get(i).type(),
                        values.get(view.schema().fields().get(i).name()));
            }
        });
        store.write(batch);
    }

    private static void put(WriteBatch batch, int field, FieldType type, Object value) {
        switch (value) {
            case null -> {}
            case Double number -> batch.putDouble(field, number);
            case Boolean flag -> batch.putBoolean(field, flag);
            case String text -> batch.putString(field, text);
            default -> {
                if (type == FieldType.TIMESTAMP || type == FieldType.INT64) {
                    batch.putLong(field, (Long) value);
                }
            }
        }
    }
}
