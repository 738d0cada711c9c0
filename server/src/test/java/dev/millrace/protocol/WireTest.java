// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.millrace.grpc.message.Messages.InferParameter;
import dev.millrace.grpc.message.Messages.ModelInferRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The cursor over a message's bytes, wherever they are cut into pieces.
class WireTest {
    private static final long SEED = 5_111;

    /// A message whose bytes lie in several pieces of native memory, as gRPC hands it over.
    private static Wire open(byte[] bytes, int... ends) {
        Wire wire = new Wire();
        int from = 0;
        for (int end : ends) {
            wire.add(piece(bytes, from, end));
            from = end;
        }
        wire.add(piece(bytes, from, bytes.length));
        wire.open();
        return wire;
    }

    private static MemorySegment piece(byte[] bytes, int from, int to) {
        return MemorySegment.ofBuffer(
                ByteBuffer.allocateDirect(to - from).put(bytes, from, to - from).flip());
    }

    @Test
    void shouldReadTheSameWhereverAMessageIsCut() {
        byte[] bytes = ModelInferRequest.newBuilder()
                .setModelName("model")
                .setId("identity")
                .putParameters(
                        "timeout",
                        InferParameter.newBuilder().setInt64Param(1L << 40).build())
                .addInputs(ModelInferRequest.InferInputTensor.newBuilder()
                        .setName("x")
                        .addShape(300))
                .addRawInputContents(ByteString.copyFrom(new byte[12]))
                .build()
                .toByteArray();
        for (int cut = 0; cut <= bytes.length; cut++) {
            for (int second = cut; second <= bytes.length; second += 7) {
                Wire wire = open(bytes, cut, second);
                assertThat(wire.length()).isEqualTo(bytes.length);
                byte[] copy = new byte[bytes.length];
                wire.get(0, copy);
                assertThat(copy).isEqualTo(bytes);
                StringBuilder fields = new StringBuilder();
                while (wire.hasMore()) {
                    int tag = wire.tag();
                    fields.append(tag >>> 3);
                    wire.skip(tag);
                }
                assertThat(fields.toString())
                        .as("cut at %d and %d", cut, second)
                        .isEqualTo("13457");
            }
        }
    }

    @Test
    void shouldReadWhatProtobufWrites() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 2000; round++) {
            long number = random.nextLong() >>> random.nextInt(64);
            int fixed = random.nextInt();
            long wide = random.nextLong();
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            out.writeUInt64NoTag(number);
            out.writeFixed32NoTag(fixed);
            out.writeFixed64NoTag(wide);
            out.writeTag(random.nextInt(1, 1 << 29), WireFormat.WIRETYPE_FIXED64);
            out.flush();
            byte[] all = bytes.toByteArray();

            Wire wire = open(all, random.nextInt(all.length + 1));

            assertThat(wire.varint()).as("seed %d, round %d", SEED, round).isEqualTo(number);
            assertThat(WireWriter.varintSize(number)).isEqualTo(wire.position());
            assertThat(new WireWriter().varint(number).toBytes())
                    .isEqualTo(java.util.Arrays.copyOf(all, wire.position()));
            assertThat(wire.fixed32()).isEqualTo(fixed);
            assertThat(wire.fixed64()).isEqualTo(wide);
            assertThat(Wire.type(wire.tag())).isEqualTo(Wire.FIXED64);
            assertThat(wire.hasMore()).isFalse();
        }
    }

    @Test
    void shouldCopyToAPlaceOfATensor() {
        byte[] bytes = {1, 2, 3, 4, 5, 6, 7, 8};
        byte[] target = new byte[8];

        open(bytes, 3, 3, 5).get(1, MemorySegment.ofArray(target), 2, 6);

        assertThat(target).containsExactly(0, 0, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void shouldReadAnotherMessageAfterOne() {
        Wire wire = open(new byte[] {(byte) 0x96, 1}, 1);
        assertThat(wire.varint()).isEqualTo(150);

        wire.close();
        wire.add(MemorySegment.ofArray(new byte[] {7}));
        wire.open();
        assertThat(wire.varint()).isEqualTo(7);

        wire.close();
        wire.open();
        assertThat(wire.hasMore()).isFalse();
        assertThat(wire.length()).isZero();
    }

    @Test
    void shouldSayWhereAMessageIsMalformed() {
        assertMalformed("malformed protobuf at byte 1: a field is cut off", 0x80);
        assertMalformed(
                "malformed protobuf at byte 10: a number has more than 10 bytes",
                0xFF,
                0xFF,
                0xFF,
                0xFF,
                0xFF,
                0xFF,
                0xFF,
                0xFF,
                0xFF,
                0xFF,
                0x01);
        assertMalformed("malformed protobuf at byte 1: a field has the number 0", 0x02);
        assertMalformed("malformed protobuf at byte 2: a field has 5 bytes of which 1 came", 0x0A, 0x05, 0x00);
        assertMalformed("malformed protobuf at byte 1: a field is cut off", 0x0D, 0x01);
        assertMalformed("malformed protobuf at byte 1: a field is written in a way that is not known: 3", 0x0B);
    }

    private static void assertMalformed(String message, int... bytes) {
        byte[] all = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            all[i] = (byte) bytes[i];
        }
        Wire wire = open(all);
        assertThatExceptionOfType(Refusal.class)
                .isThrownBy(() -> {
                    while (wire.hasMore()) {
                        wire.skip(wire.tag());
                    }
                })
                .withMessage(message);
    }
}
