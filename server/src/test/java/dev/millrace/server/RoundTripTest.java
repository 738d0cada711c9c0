// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.memory.DataType;
import dev.millrace.server.RawClient.Answer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What goes through a model that changes nothing comes back: every datatype in random shapes, as JSON and as bytes on
/// either way.
class RoundTripTest {
    private static final int ROUNDS = 300;

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /// A request for tensors of a model whose output `out_x` is its input `in_x`.
    private static final class Trip {
        private final SplittableRandom random;
        private final List<String> inputs = new ArrayList<>();
        private final List<byte[]> blobs = new ArrayList<>();
        private final List<String> outputs = new ArrayList<>();
        private final List<RandomTensor> exact = new ArrayList<>();
        private final Map<String, RandomTensor> tensors = new LinkedHashMap<>();

        Trip(SplittableRandom random) {
            this.random = random;
        }

        void add(String name, DataType type, int... shape) {
            boolean binaryIn = random.nextBoolean();
            boolean binaryOut = random.nextBoolean();
            RandomTensor tensor = RandomTensor.of(random, type, !(binaryIn && binaryOut), shape);
            tensors.put("out_" + name, tensor);
            if (binaryIn) {
                byte[] bytes = tensor.binary();
                inputs.add(BinaryMessage.input("in_" + name, tensor.shape(), type.name(), bytes.length));
                blobs.add(bytes);
                exact.add(tensor);
            } else {
                inputs.add(Bodies.input("in_" + name, tensor.shape(), type.name(), tensor.json(random.nextBoolean())));
            }
            outputs.add(Bodies.json("{'name':'out_" + name + "','parameters':{'binary_data':" + binaryOut + "}}"));
        }

        /// To the bit, unless it came as JSON, which has but one NaN.
        private void compare(RandomTensor tensor, byte[] came, JsonTree output) {
            if (exact.contains(tensor) || tensor.isText()) {
                assertThat(came).as("%s", output).isEqualTo(tensor.binary());
            } else {
                assertThat(tensor.values(came)).as("%s", output).isEqualTo(tensor.values());
            }
        }

        void checkThrough(RawClient client, String model) {
            Collections.shuffle(outputs, new Random(random.nextLong()));
            String json = Bodies.with(
                    "'outputs':" + outputs.toString().replace('"', '\''),
                    Bodies.request(inputs.toArray(String[]::new)));
            Answer answer = client.send(BinaryMessage.request(model, json, blobs.toArray(byte[][]::new)))
                    .read();
            assertThat(answer.status()).as(answer.body()).isEqualTo(200);
            boolean binary = answer.headers().containsKey("Inference-Header-Content-Length");
            JsonTree tree = binary ? BinaryMessage.parts(answer).json() : JsonTree.parse(answer.body());
            Map<String, byte[]> bytes = binary ? BinaryMessage.parts(answer).bytes() : Map.of();
            assertThat(tree.get("outputs").elements()).hasSameSizeAs(tensors.keySet());
            for (JsonTree output : tree.get("outputs").elements()) {
                RandomTensor tensor = tensors.get(output.get("name").text());
                assertThat(output.get("shape")).hasToString(tensor.shape());
                if (output.has("data")) {
                    assertThat(tensor.values(output.get("data").scalars()))
                            .as("%s", output)
                            .isEqualTo(tensor.values());
                } else {
                    compare(tensor, bytes.get(output.get("name").text()), output);
                }
            }
        }
    }

    private static int[] shape(SplittableRandom random, int rank, boolean empty) {
        return IntStream.range(0, rank)
                .map(_ -> empty && random.nextInt(8) == 0 ? 0 : random.nextInt(1, 5))
                .toArray();
    }

    @Test
    void shouldCarryEveryDatatypeInEveryShape() {
        try (RawClient client = server.connect()) {
            for (int seed = 0; seed < ROUNDS; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                Trip trip = new Trip(random);
                List<DataType> types = new ArrayList<>(Arrays.asList(DataType.values()));
                Collections.shuffle(types, new Random(seed));
                types.forEach(type -> trip.add(type.name(), type, shape(random, 3, type != DataType.BYTES)));
                trip.checkThrough(client, "echo_shapes");
            }
        }
    }

    @Test
    void shouldCarryEveryRank() {
        try (RawClient client = server.connect()) {
            for (int seed = 0; seed < ROUNDS; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                Trip trip = new Trip(random);
                for (int rank = 0; rank < 7; rank++) {
                    trip.add(Integer.toString(rank), DataType.FP32, shape(random, rank, true));
                }
                trip.checkThrough(client, "echo_ranks");
            }
        }
    }

    @Test
    void shouldCarryRowsOfEveryDatatype() {
        try (RawClient client = server.connect()) {
            for (int seed = 0; seed < ROUNDS; seed++) {
                SplittableRandom random = new SplittableRandom(seed);
                for (DataType type : DataType.values()) {
                    if (type != DataType.BYTES) {
                        Trip trip = new Trip(random);
                        trip.add(type.name(), type, random.nextInt(1, 9), 2);
                        trip.checkThrough(client, "echo_" + type.name().toLowerCase(java.util.Locale.ROOT));
                    }
                }
            }
        }
    }

    @Test
    void shouldWriteTestTensorsAsTheProtocolHasThem() {
        RandomTensor tensor = RandomTensor.of(new SplittableRandom(1), DataType.UINT8, true, 2, 0, 3);

        assertThat(tensor.json(true)).isEqualTo("[[], []]");
        assertThat(tensor.json(false)).isEqualTo("[]");
        assertThat(new String(tensor.binary(), StandardCharsets.US_ASCII)).isEmpty();
        assertThat(RandomTensor.of(new SplittableRandom(1), DataType.INT8, true, 2, 2)
                        .json(true))
                .matches("\\[\\[-?\\d+, -?\\d+], \\[-?\\d+, -?\\d+]]");
    }
}
