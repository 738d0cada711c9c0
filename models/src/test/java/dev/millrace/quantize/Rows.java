// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import dev.millrace.dataset.Dataset;
import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Rows of one input of floats.
final class Rows implements Dataset {
    private final float[] values;
    private final long[] row;

    Rows(float[] values, long... row) {
        this.values = values;
        this.row = row;
    }

    static Rows of(Path file, long... row) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        return new Rows(values, row);
    }

    static Rows random(long seed, int rows, long... row) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[rows * Math.toIntExact(size(row))];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-2, 2);
        }
        return new Rows(values, row);
    }

    private static long size(long[] row) {
        return Arrays.stream(row).reduce(1, Math::multiplyExact);
    }

    @Override
    public void forEach(int rows, Sink sink) throws IOException {
        int size = Math.toIntExact(size(row));
        long[] shape = new long[row.length + 1];
        System.arraycopy(row, 0, shape, 1, row.length);
        try (Tensor tensor = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            for (int from = 0; from < values.length; from += rows * size) {
                int count = Math.min(rows, (values.length - from) / size);
                shape[0] = count;
                tensor.reshape(shape).putFloats(0, values, from, count * size);
                sink.accept(new Batch(new Tensor[] {tensor}, count, new double[0]));
            }
        }
    }
}
