// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.zoo.payments.PaymentSimulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The example that is asked by raw values.
class FraudStoreTest {
    private static final Path EXAMPLE = Path.of("../models/payments/fraud");

    @TempDir
    private Path folder;

    @Test
    void shouldServeTheSameModelAsTheOneThatIsAskedByRows() {
        assertThat(EXAMPLE.resolve("1/model.onnx")).hasSameBinaryContentAs(Path.of("../models/zoo/fraud/1/model.onnx"));
    }

    @Test
    @Tag("slow")
    void shouldWriteWhatIsInTheRepository() throws IOException {
        FraudStore.write(folder, PaymentSimulator.Settings.DEFAULT);

        for (String view : List.of("customers", "merchants", "known_merchants", "known_devices")) {
            assertThat(folder.resolve(view + ".csv")).hasSameTextualContentAs(EXAMPLE.resolve("data/" + view + ".csv"));
            assertThat(Files.readString(EXAMPLE.resolve("data/" + view + ".schema")))
                    .startsWith("view " + view + "\n");
        }
    }
}
