// SPDX-License-Identifier: Apache-2.0
package dev.millrace.convert;

import dev.millrace.ort.ValueInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/// The shapes of all tensors of a graph when it runs on one row, as they came. Immutable.
final class RowShapes {
    private static final long SEED = 1;

    private final Map<String, long[]> shapes;

    private RowShapes(Map<String, long[]> shapes) {
        this.shapes = shapes;
    }

    static RowShapes of(Path model, Scratch scratch) throws IOException {
        Map<String, long[]> shapes = new HashMap<>();
        try (Probe probe = Exposed.open(model, scratch);
                Tensors inputs = random(probe);
                Tensors outputs = probe.run(inputs)) {
            for (ValueInfo input : probe.inputs()) {
                shapes.put(
                        input.name(),
                        input.shape().stream().mapToLong(Long::longValue).toArray());
            }
            for (int i = 0; i < outputs.all().length; i++) {
                shapes.put(probe.outputs().get(i).name(), outputs.all()[i].shape());
            }
        }
        return new RowShapes(shapes);
    }

    private static Tensors random(Probe probe) {
        int most = Collections.max(RowProof.BATCHES);
        if (!probe.fits(most, 1)) {
            throw new ConversionFailed("its rows are too large for " + most + " of them to be tried");
        }
        return probe.random(new SplittableRandom(SEED), 0, 1);
    }

    /// The shape of a value that a node makes, or of an input; empty for constants and what is no tensor.
    Optional<long[]> of(String value) {
        return Optional.ofNullable(shapes.get(value));
    }
}
