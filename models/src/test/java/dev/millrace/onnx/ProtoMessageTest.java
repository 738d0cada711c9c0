// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.join;
import static dev.millrace.version.Proto.varint;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.ort.ProtoCursor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Messages that are changed in places.
class ProtoMessageTest {
    private static ProtoMessage read(byte[]... parts) {
        return ProtoMessage.root(new Source(MemorySegment.ofArray(join(parts))));
    }

    private static byte[] write(ProtoMessage message) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ProtoWriter writer = new ProtoWriter(Channels.newChannel(bytes));
            message.write(writer);
            writer.flush();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        assertThat(message.byteSize()).isEqualTo(bytes.size());
        return bytes.toByteArray();
    }

    /// A number of one byte in two.
    private static byte[] longer(int value) {
        return new byte[] {(byte) (value | 0x80), 0};
    }

    @Test
    void shouldReadValuesInAnyForm() {
        byte[] packed = field(3, new byte[] {1, 2, (byte) 0x80, 1});
        ProtoMessage message = read(field(3, 7), packed, field(3, 9), field(1, "a"), field(1, "b"), field(2, -1));

        assertThat(message.numbers(3)).containsExactly(7, 1, 2, 128, 9);
        assertThat(message.count(3)).isEqualTo(5);
        assertThat(message.number(2, 0)).isEqualTo(-1);
        assertThat(message.number(4, 5)).isEqualTo(5);
        assertThat(message.texts(1)).containsExactly("a", "b");
        assertThat(message.text(1)).isEqualTo("b");
        assertThat(message.text(9)).isEmpty();
        assertThat(message.has(2)).isTrue();
        assertThat(message.has(4)).isFalse();
    }

    @Test
    void shouldKeepEverythingElseWhenAFieldIsChanged() {
        byte[] unknown = join(field(900, "?"), new byte[] {(byte) (((77 << 3) & 0x7F) | 0x80 | 5), 4, 1, 2, 3, 4});
        byte[] odd = join(longer((4 << 3) | ProtoCursor.BYTES), longer(3), field(1, 5), new byte[] {0x08});
        byte[] tail = Arrays.copyOf(odd, odd.length - 1);
        tail[2] = (byte) (2 | 0x80);
        ProtoMessage message = read(field(2, "old"), unknown, tail, field(2, "older"), field(1, 3));

        assertThat(write(message)).isEqualTo(join(field(2, "old"), unknown, tail, field(2, "older"), field(1, 3)));
        assertThat(message.messages(4).getFirst().number(1, 0)).isEqualTo(5);
        assertThat(message.isChanged()).isFalse();
        message.setText(2, "new");

        assertThat(message.isChanged()).isTrue();
        assertThat(write(message)).isEqualTo(join(field(2, "new"), unknown, tail, field(1, 3)));
        assertThat(message.text(2)).isEqualTo("new");
    }

    @Test
    void shouldWriteLengthsAnewWhenAMessageInsideIsChanged() {
        byte[] first = field(1, join(field(1, "x"), field(2, 1)));
        ProtoMessage message = read(first, field(1, join(field(1, "y"), field(2, field(3, 4)))), field(5, 6));

        message.messages(1).get(1).message(2).orElseThrow().setNumber(3, 1L << 40);

        assertThat(write(message))
                .isEqualTo(join(first, field(1, join(field(1, "y"), field(2, field(3, 1L << 40)))), field(5, 6)));
    }

    @Test
    void shouldPutNewFieldsWhereTheyHaveTheirPlace() {
        ProtoMessage message = read(field(1, 1), field(5, 5));

        message.setNumber(3, 3)
                .setNumbers(9, 1, 2)
                .setTexts(4, List.of("a", ""))
                .setReal(7, 1.5f);

        assertThat(write(message))
                .isEqualTo(join(
                        field(1, 1),
                        field(3, 3),
                        field(4, "a"),
                        field(4, ""),
                        field(5, 5),
                        new byte[] {(7 << 3) | 5, 0, 0, (byte) 0xC0, 0x3F},
                        field(9, 1),
                        field(9, 2)));
        assertThat(message.real(7, 0)).isEqualTo(1.5f);
        assertThat(message.reals(7)).containsExactly(1.5f);
        assertThat(write(message.clear(4).clear(7).clear(9).clear(3))).isEqualTo(join(field(1, 1), field(5, 5)));
    }

    @Test
    void shouldTakeMessagesFromElsewhereAndNewOnes() {
        ProtoMessage other = read(field(8, join(field(1, "other"), field(99, "kept"))));
        ProtoMessage message = read(field(1, field(1, "a")), field(2, 2), field(1, field(1, "b")));
        List<ProtoMessage> messages = new ArrayList<>(message.messages(1));
        messages.removeFirst();
        messages.addAll(other.messages(8));
        messages.add(new ProtoMessage().setText(1, "new").setMessages(2, List.of(new ProtoMessage())));

        message.setMessages(1, messages);

        assertThat(write(message))
                .isEqualTo(join(
                        field(1, field(1, "b")),
                        field(1, join(field(1, "other"), field(99, "kept"))),
                        field(1, join(field(1, "new"), field(2, ""))),
                        field(2, 2)));
        assertThat(message.messages(1)).hasSize(3);
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        assertThatThrownBy(() -> read(new byte[] {0x0A, 5, 1}).has(1))
                .isInstanceOf(InvalidModelException.class)
                .hasMessage("the file is cut off or damaged: no field fits at byte 0 of a message that ends at 3");
        assertThatThrownBy(() -> read(new byte[] {0x0B}).has(1)).isInstanceOf(InvalidModelException.class);
        assertThatThrownBy(() -> read(new byte[] {0x00, 0x00}).has(1)).isInstanceOf(InvalidModelException.class);
        assertThatThrownBy(() ->
                        read(field(1, new byte[] {(byte) 0x80}), field(1, 1)).numbers(1))
                .isInstanceOf(InvalidModelException.class)
                .hasMessageContaining("goes on behind the end of its field");
        assertThatThrownBy(() -> read(field(7, "a"), field(7, "b")).message(7))
                .isInstanceOf(InvalidModelException.class)
                .hasMessage("field 7 of a message is there 2 times, expected once");
    }

    @Test
    void shouldRefuseNumbersWithoutAnEndWhenTheyAreWrittenTogether() {
        byte[] endless = new byte[10];
        Arrays.fill(endless, (byte) 0xFF);
        for (byte[] packed : new byte[][] {endless, {1, (byte) 0x80}}) {
            // The last one is the last of the file: there is no byte to go on with.
            assertThatThrownBy(() -> read(field(2, 1), field(1, packed)).count(1))
                    .isInstanceOf(InvalidModelException.class)
                    .hasMessageContaining("a value of field 1 of a message does not fit it");
            assertThatThrownBy(() -> read(field(2, 1), field(1, packed)).numbers(1))
                    .isInstanceOf(InvalidModelException.class);
        }
    }

    /// Of a file of 8 GiB, of which the disk holds next to nothing.
    @Test
    void shouldRefuseMoreValuesThanAnArrayTakes(@TempDir Path temp) throws IOException {
        long bytes = 4L << 31;
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        varint(head, (7 << 3) | ProtoCursor.BYTES);
        varint(head, bytes);
        Set<OpenOption> options =
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE, StandardOpenOption.WRITE);
        Path file = temp.resolve("sparse");
        try (FileChannel channel = FileChannel.open(file, options)) {
            channel.write(ByteBuffer.wrap(head.toByteArray()));
            channel.write(ByteBuffer.allocate(1), head.size() + bytes - 1);
        }

        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file)) {
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            ProtoMessage message = ProtoMessage.root(new Source(mapped));
            assertThat(message.count(7, Float.BYTES)).isEqualTo(1L << 31);
            assertThatThrownBy(() -> message.reals(7))
                    .isInstanceOf(InvalidModelException.class)
                    .hasMessage("field 7 of a message has 2147483648 values, expected 2147483639 at most");
        }
    }

    @Test
    void shouldEndWhenMessagesAreNestedTooDeep() {
        byte[] nested = field(1, 1);
        for (int i = 0; i < 200; i++) {
            nested = field(6, nested);
        }
        byte[] deep = nested;

        assertThatThrownBy(() -> descend(read(deep)))
                .isInstanceOf(InvalidModelException.class)
                .hasMessage("its messages are nested deeper than 100");
    }

    private static void descend(ProtoMessage message) {
        message.message(6).ifPresent(ProtoMessageTest::descend);
    }

    /// Against a list of fields as a model of what a message is.
    @Test
    void shouldBeTheFieldsThatWereNotReplacedWhenAnythingIsChanged() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<byte[]> fields = new ArrayList<>();
            List<Integer> numbers = new ArrayList<>();
            for (int i = random.nextInt(12); i > 0; i--) {
                int number = random.nextInt(1, 5);
                numbers.add(number);
                fields.add(random.nextBoolean() ? field(number, random.nextInt()) : field(number, field(1, i)));
            }
            ProtoMessage message = read(fields.toArray(byte[][]::new));
            if (random.nextBoolean()) {
                message.has(1);
            }
            assertThat(write(message)).as("seed %d", seed).isEqualTo(join(fields.toArray(byte[][]::new)));
            int changed = random.nextInt(1, 5);
            message.setNumber(changed, seed);
            int place = numbers.indexOf(changed);
            List<byte[]> expected = new ArrayList<>();
            boolean done = false;
            for (int i = 0; i < fields.size(); i++) {
                boolean here = place < 0 ? numbers.get(i) > changed : i == place;
                if (here && !done) {
                    expected.add(field(changed, seed));
                    done = true;
                }
                if (numbers.get(i) != changed) {
                    expected.add(fields.get(i));
                }
            }
            if (!done) {
                expected.add(field(changed, seed));
            }
            assertThat(write(message)).as("seed %d", seed).isEqualTo(join(expected.toArray(byte[][]::new)));
        }
    }
}
