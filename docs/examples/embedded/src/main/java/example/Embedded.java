// SPDX-License-Identifier: Apache-2.0
package example;

import dev.millrace.runtime.Call;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.Model;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.Prediction;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/// Runs models inside a program of one's own, in the three ways there are.
public final class Embedded {
    private static final float[] STOLEN_CARD = {
        5.6489f, 1.4026f, 2.1804f, -0.3660f, 0.1286f, 0.9917f, 0, 1, 1, 0, 0, 0, 4.1373f, 6.8791f, 2.7081f, 0.0180f,
        0.0358f, 0, 4, 6.2433f, 8.5784f, 0
    };

    private Embedded() {}

    /// The argument is a model repository, `models/zoo` of the project by default.
    public static void main(String[] args) {
        try (Millrace millrace = Millrace.open(Path.of(args.length > 0 ? args[0] : "models/zoo"))) {
            Model fraud = millrace.model("fraud");

            // Convenient: arrays in, arrays out.
            Prediction one = fraud.predict(fraud.request().set("features", STOLEN_CARD));
            System.out.printf("predict: %.3f%n", one.floats("score")[0]);

            // Asynchronous, two rows, with a deadline.
            CompletableFuture<Prediction> later = fraud.predictAsync(fraud.request()
                    .set("features", new float[][] {STOLEN_CARD, new float[22]})
                    .timeout(Duration.ofMillis(50)));
            System.out.printf("predictAsync: %.3f%n", later.join().floats("score")[0]);

            // Reusable, and free of garbage.
            try (Call call = fraud.call()) {
                call.input(0).putFloats(STOLEN_CARD);
                if (call.run() == Outcome.OK) {
                    System.out.printf("call: %.3f%n", call.output(0).getFloat(0));
                }
            }

            // A wrong request says what is wrong.
            try {
                fraud.predict(fraud.request().set("features", new float[21]));
            } catch (InferenceException e) {
                System.out.println(e.outcome() + ": " + e.getMessage());
            }
        }
    }
}
