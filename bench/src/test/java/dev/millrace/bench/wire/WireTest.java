// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Contestant;
import dev.millrace.bench.route.Fixture;
import dev.millrace.bench.route.Gate;
import dev.millrace.memory.NativeMemory;
import dev.millrace.server.MillraceServer;
import dev.millrace.server.ServerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WireTest {
    private static final String OUTPUT = """
        finished in 2.00s, 61234.50 req/s, 7.20MB/s
        requests: 122469 total, 122500 started, 122469 done, 122469 succeeded, 0 failed, 0 errored, 0 timeout
        status codes: 122469 2xx, 0 3xx, 0 4xx, 0 5xx
        """;

    @TempDir
    Path temp;

    @ParameterizedTest
    @ValueSource(ints = {1, 64})
    void shouldLetTheServerThroughTheGateInEveryFormAndRefuseTheFloors(int rows) throws IOException {
        long before = NativeMemory.used();
        BenchModels.MLP.writeInto(temp);
        ServerConfig config = ServerConfig.of(temp).withPort(0).withGrpcPort(0).withEventLoops(1);
        try (MillraceServer server = MillraceServer.start(config);
                Fixture fixture = Fixture.open(BenchModels.MLP)) {
            String path = "/v2/models/" + fixture.name() + "/infer";
            List<Post> json = new ArrayList<>();
            List<Post> binary = new ArrayList<>();
            List<byte[]> messages = new ArrayList<>();
            int width = fixture.examples().floats()[0].length;
            for (float[] batch : batches(fixture, rows)) {
                json.add(Post.json(path, batch, width));
                binary.add(Post.binary(path, batch, width));
                messages.add(GrpcContestant.request(fixture.name(), batch, width));
            }

            byte[] wire = passes(fixture.gate(), new HttpContestant(server.port(), binary), rows);
            passes(fixture.gate(), new HttpContestant(server.port(), json), rows);
            GrpcContestant call = new GrpcContestant(server.grpcPort(), messages);
            check(fixture.gate(), call, rows);
            byte[] message = call.answer();
            call.close();

            try (EchoServer echo = EchoServer.start(wire);
                    GrpcEcho grpc = GrpcEcho.start(message)) {
                assertThat(passes(null, new HttpContestant(echo.port(), binary), rows))
                        .isEqualTo(wire);
                refuses(fixture.gate(), new HttpContestant(echo.port(), binary), rows);
                refuses(fixture.gate(), new GrpcContestant(grpc.port(), messages), rows);
            }
        }
        assertThat(NativeMemory.used()).isEqualTo(before);
    }

    private static List<float[]> batches(Fixture fixture, int rows) {
        float[][] all = fixture.examples().floats();
        List<float[]> batches = new ArrayList<>();
        for (int first = 0; first + rows <= all.length; first += rows) {
            float[] batch = new float[rows * all[0].length];
            for (int row = 0; row < rows; row++) {
                System.arraycopy(all[first + row], 0, batch, row * all[0].length, all[0].length);
            }
            batches.add(batch);
        }
        return batches;
    }

    private static byte[] passes(Gate gate, HttpContestant contestant, int rows) {
        try (contestant) {
            if (gate != null) {
                check(gate, contestant, rows);
            }
            contestant.run(0);
            return contestant.wire();
        }
    }

    private static void check(Gate gate, Contestant contestant, int rows) {
        assertThatCode(() -> gate.check("server", contestant, rows)).doesNotThrowAnyException();
    }

    private static void refuses(Gate gate, Contestant contestant, int rows) {
        try (contestant) {
            assertThatThrownBy(() -> gate.check("echo", contestant, rows)).isInstanceOf(Gate.Refusal.class);
        }
    }

    @Test
    void shouldReadWhatH2loadPrints() throws IOException {
        List<String> times = new ArrayList<>();
        for (int micros = 100; micros > 0; micros--) {
            times.add("1795650000000000\t200\t" + micros);
        }

        H2load.Outcome outcome = H2load.parse(OUTPUT, times);

        assertThat(outcome).isEqualTo(new H2load.Outcome(new Wrk.Load(61234.5, 50, 99), 122_469));
    }

    @Test
    void shouldRefuseWhenACallFailsUnderLoad() {
        assertThatThrownBy(() -> H2load.parse(OUTPUT.replace(" 0 failed", " 3 failed"), List.of("0\t200\t1")))
                .isInstanceOf(Gate.Refusal.class)
                .hasMessageContaining("3 failed");
        assertThatThrownBy(() -> H2load.parse("no connection", List.of()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no connection");
    }
}
