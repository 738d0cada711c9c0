// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.json.JsonReader;
import dev.millrace.limit.Limits;
import dev.millrace.memory.Tensor;
import dev.millrace.runtime.Call;
import dev.millrace.server.Bodies;
import dev.millrace.server.Mutations;
import dev.millrace.server.TestServer;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// The decoder beside one that is made from Jackson's parser: the same tensors to the bit, or both an error.
class DecoderOracleTest {
    private static final int ROUNDS = 40_000;
    private static final int SLOW_ROUNDS = 2_000_000;
    private static final int MAX_BODY = 1 << 20;

    /// What Jackson takes and we do not, beside bytes that are not UTF-8: halves of surrogate pairs in names, and other
    /// spellings of infinity.
    private static final Pattern LENIENT = Pattern.compile("\\\\u[dD][89a-fA-F]|INF|\\+I");

    private static TestServer server;

    /// A decoder's result.
    private record Result(String error, String id, String outputs, long timeout, List<String> tensors) {}

    /// A decoder under test.
    private interface Decoder {
        Result decode(Call call, byte[] body);
    }

    private final Map<String, Call> ours = new HashMap<>();
    private final Map<String, Call> jacksons = new HashMap<>();
    private final InferDecoder own = new InferDecoder(Limits.DEFAULT);
    private final JacksonInferDecoder jackson = new JacksonInferDecoder(JacksonJson.factory(MAX_BODY));

    @AfterEach
    void closeCalls() {
        ours.values().forEach(Call::close);
        jacksons.values().forEach(Call::close);
    }

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void shouldDecodeDamagedBodiesAsJacksonDoes() {
        compareMutations(1, ROUNDS);
    }

    @Test
    @Tag("slow")
    void shouldDecodeMillionsOfDamagedBodiesAsJacksonDoes() {
        compareMutations(System.nanoTime(), SLOW_ROUNDS);
    }

    private void compareMutations(long seed, int rounds) {
        Mutations mutations = new Mutations(seed);
        int good = 0;
        for (int round = 0; round < rounds; round++) {
            mutations.next();
            good += compare(mutations.model(), mutations.body()) ? 1 : 0;
        }
        assertThat(good).as("good bodies of seed " + seed).isBetween(rounds / 100, rounds * 9 / 10);
    }

    @Test
    void shouldReadNumbersOfEveryKindAsJacksonDoes() {
        SplittableRandom random = new SplittableRandom(2);
        int good = 0;
        for (int round = 0; round < ROUNDS; round++) {
            String type = List.of("FP32", "FP64", "INT64", "UINT8").get(random.nextInt(4));
            String body = Bodies.request(Bodies.input(
                    "in_" + type,
                    "[1,2]",
                    type,
                    spaced(random, "[", number(random, type), ",", number(random, type), "]")));
            good += compare("echo_" + type.toLowerCase(java.util.Locale.ROOT), body.getBytes(StandardCharsets.UTF_8))
                    ? 1
                    : 0;
        }
        assertThat(good).isGreaterThan(ROUNDS / 2);
    }

    private static String number(SplittableRandom random, String type) {
        return switch (random.nextInt(type.startsWith("F") ? 9 : 4)) {
            case 0 -> Long.toString(random.nextLong() >> random.nextInt(64));
            case 1 -> Integer.toString(random.nextInt(256));
            case 2 -> digits(random, 1, 22);
            case 3 -> "-" + digits(random, 1, 4);
            case 4 -> Float.toString(Float.intBitsToFloat(random.nextInt()));
            case 5 -> Double.toString(Double.longBitsToDouble(random.nextLong()));
            case 6 -> digits(random, 1, 9) + "." + digits(random, 1, 20);
            case 7 -> middle(random);
            default -> "-0." + digits(random, 1, 18) + (random.nextBoolean() ? "e" + random.nextInt(-30, 30) : "");
        };
    }

    /// Half way between two floats, or next to that.
    private static String middle(SplittableRandom random) {
        float value = Float.intBitsToFloat(random.nextInt(0x3000_0000, 0x5000_0000));
        double middle = (value + (double) Math.nextUp(value)) / 2;
        return new java.math.BigDecimal(random.nextBoolean() ? middle : Math.nextUp(middle)).toPlainString();
    }

    private static String digits(SplittableRandom random, int least, int most) {
        StringBuilder text = new StringBuilder();
        for (int count = random.nextInt(least, most + 1); count > 0; count--) {
            text.append((char) ('0' + random.nextInt(10)));
        }
        return text.toString();
    }

    private static String spaced(SplittableRandom random, String... parts) {
        StringBuilder text = new StringBuilder();
        for (String part : parts) {
            text.append(part);
            if (random.nextInt(4) == 0) {
                text.append(" \n\t\r".charAt(random.nextInt(4)));
            }
        }
        return text.toString();
    }

    @Test
    void shouldReadStringsAsJacksonDoes() {
        SplittableRandom random = new SplittableRandom(3);
        for (int round = 0; round < ROUNDS / 4; round++) {
            StringBuilder text = new StringBuilder("[\"");
            for (int count = random.nextInt(8); count > 0; count--) {
                text.append(piece(random));
            }
            String body = Bodies.request(
                    Bodies.input("text", "[1,1]", "BYTES", text.append("\"]").toString()));
            compare("string_only", body.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static String piece(SplittableRandom random) {
        return switch (random.nextInt(6)) {
            case 0 -> "plain";
            case 1 -> "\\" + "\"\\/bfnrtx".charAt(random.nextInt(9));
            case 2 -> "\\u%04x".formatted(random.nextInt(0x10000));
            case 3 -> Character.toString(random.nextInt(0x20, 0xD800));
            case 4 -> Character.toString(random.nextInt(0x10000, 0x110000));
            default -> "\\ud83d\\ude%02x".formatted(random.nextInt(256));
        };
    }

    /// Returns whether the body was taken.
    private boolean compare(String name, byte[] body) {
        Result expected = decode(call(jacksons, name), body, this::byJackson);
        Result came = decode(call(ours, name), body, this::byUs);
        String text = new String(body, StandardCharsets.UTF_8);
        if (came.error() != null && expected.error() == null) {
            assertThat(!isUtf8(body) || LENIENT.matcher(text).find())
                    .as("%s: %s is refused with %s", name, text, came.error())
                    .isTrue();
        } else if (came.error() == null || expected.error() == null) {
            assertThat(came).as("%s: %s", name, text).isEqualTo(expected);
        }
        return came.error() == null;
    }

    private static boolean isUtf8(byte[] body) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body));
            return true;
        } catch (CharacterCodingException _) {
            return false;
        }
    }

    /// The call for a model, without what another body left behind.
    private static Call call(Map<String, Call> calls, String name) {
        Call call = calls.computeIfAbsent(
                name, model -> server.server().runtime().model(model).call());
        for (int i = 0; i < call.signature().inputs().size(); i++) {
            call.input(i).data().fill((byte) 0);
        }
        return call;
    }

    private static Result decode(Call call, byte[] body, Decoder decoder) {
        try {
            return decoder.decode(call, body);
        } catch (Refusal e) {
            return new Result(e.getMessage(), null, null, 0, List.of());
        }
    }

    private Result byUs(Call call, byte[] body) {
        byte[][] names = call.signature().inputs().stream()
                .map(input -> input.name().getBytes(StandardCharsets.UTF_8))
                .toArray(byte[][]::new);
        own.decode(call, names, Arrays.copyOf(body, body.length + JsonReader.PADDING), 0, body.length, null);
        return new Result(
                null, own.id(), shown(own.outputs(), call), own.parameters().timeoutMicros(), tensors(call));
    }

    /// The outputs as the oracle has them: their places, or null for all in the model's order.
    private static String shown(RequestedOutputs outputs, Call call) {
        int all = call.signature().outputs().size();
        return outputs == RequestedOutputs.ALL
                ? "null"
                : Arrays.toString(IntStream.range(0, outputs.count(all))
                        .map(outputs::index)
                        .toArray());
    }

    private Result byJackson(Call call, byte[] body) {
        jackson.decode(call, body, 0, body.length);
        return new Result(
                null, jackson.id(), Arrays.toString(jackson.outputs()), jackson.timeoutMicros(), tensors(call));
    }

    private static List<String> tensors(Call call) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < call.signature().inputs().size(); i++) {
            Tensor tensor = call.input(i);
            StringBuilder text = new StringBuilder(tensor.toString());
            for (int element = 0;
                    element < tensor.elementCount() && !tensor.datatype().isNumeric();
                    element++) {
                text.append(' ').append(Arrays.toString(tensor.getBytes(element)));
            }
            if (tensor.datatype().isNumeric()) {
                text.append(Arrays.toString(
                        tensor.data().asSlice(0, tensor.byteSize()).toArray(ValueLayout.JAVA_BYTE)));
            }
            all.add(text.toString());
        }
        return all;
    }
}
