// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files are put together field by field, as the format says.
class ModelSizeTest {
    @TempDir
    Path folder;

    private static byte[] field(int number, byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, ((long) number << 3) | 2);
        varint(out, bytes.length);
        out.writeBytes(bytes);
        return out.toByteArray();
    }

    private static byte[] number(int number, long value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, (long) number << 3);
        varint(out, value);
        return out.toByteArray();
    }

    private static void varint(ByteArrayOutputStream out, long value) {
        for (long rest = value; ; rest >>>= 7) {
            if (rest <= 0x7F) {
                out.write((int) rest);
                return;
            }
            out.write((int) ((rest & 0x7F) | 0x80));
        }
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    private static byte[] text(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    }

    /// A tensor whose elements are said to be beside the file.
    private static byte[] tensor(String name, int type, long... dims) {
        byte[] shape = {};
        for (long dim : dims) {
            shape = join(shape, number(1, dim));
        }
        return join(shape, number(2, type), field(8, text(name)), field(13, field(1, text("location"))));
    }

    private ModelSize size(byte[]... graphFields) throws IOException {
        return ModelSize.of(Files.write(folder.resolve("model.onnx"), field(7, join(graphFields))));
    }

    @Test
    void shouldCountWeightsWhereverTheirElementsAre() throws IOException {
        ModelSize size =
                size(field(5, tensor("a", 1, 1000, 300)), field(5, tensor("b", 7, 10)), field(5, tensor("c", 10)));

        assertThat(size.weightBytes()).isEqualTo(4 * 300_000 + 80 + 2);
        assertThat(size.largestBytes()).isEqualTo(4 * 300_000);
        assertThat(size.nodeBytes()).isZero();
        assertThat(size.peakBytes()).isGreaterThan(8 * 300_000).isLessThan(8 * 300_000 + (5 << 20));
    }

    @Test
    void shouldCountConstantsInNodesAndTheirSubgraphs() throws IOException {
        byte[] constant = field(1, field(5, field(5, tensor("t", 11, 100))));
        byte[] branch = field(1, field(5, field(6, constant)));

        ModelSize size = size(constant, branch);

        assertThat(size.weightBytes()).isEqualTo(1600);
        assertThat(size.nodeBytes()).isEqualTo(1600);
    }

    @Test
    void shouldCountWhatIsFilledInWhenItIsLoaded() throws IOException {
        byte[] raw = new byte[16];
        raw[0] = 100;
        raw[9] = 1;
        byte[] shape = join(number(1, 2), number(2, 7), field(8, text("shape")), field(9, raw));
        byte[] packed = join(number(1, 1), number(2, 7), field(7, new byte[] {50}), field(8, text("other")));
        byte[] fill = join(field(1, text("shape")), field(2, text("zeros")), field(4, text("ConstantOfShape")));
        byte[] fillOther = join(field(1, text("other")), field(2, text("ones")), field(4, text("ConstantOfShape")));

        ModelSize size = size(field(1, fill), field(1, fillOther), field(5, shape), field(5, packed));

        assertThat(size.weightBytes()).isEqualTo(4 * 100 * 256 + 4 * 50 + 16 + 8);
        assertThat(size.nodeBytes()).isEqualTo(4 * 100 * 256 + 4 * 50);
    }

    @Test
    void shouldCountWhatIsNoWeightsManyTimes() throws IOException {
        ModelSize size = size(field(1, field(5, field(7, new byte[1 << 20]))));

        assertThat(size.weightBytes()).isZero();
        assertThat(size.peakBytes()).isGreaterThan(16L << 20);
    }

    @Test
    void shouldNotFailWhenTheFileIsNoModel() throws IOException {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes =
                    field(7, join(field(5, tensor("a", 1, 1000)), field(1, field(5, field(5, tensor("t", 1, 7))))));
            for (int flips = random.nextInt(8); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            ModelSize size = ModelSize.of(Files.write(folder.resolve("model.onnx"), bytes));
            assertThat(size.weightBytes()).as("case %d", i).isNotNegative();
            assertThat(size.peakBytes()).as("case %d", i).isPositive();
        }
    }

    @Test
    void shouldBeEmptyWhenTheFileIs() throws IOException {
        assertThat(ModelSize.of(Files.createFile(folder.resolve("empty.onnx"))).weightBytes())
                .isZero();
    }
}
