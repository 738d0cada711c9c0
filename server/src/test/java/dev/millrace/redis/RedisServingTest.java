// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.feast.FeastView;
import dev.millrace.runtime.InferenceException;
import dev.millrace.runtime.Outcome;
import dev.millrace.runtime.Prediction;
import dev.millrace.server.Bodies;
import dev.millrace.server.RawClient;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import dev.millrace.server.TestServer.Reply;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Models that are asked by raw values, and stored features by themselves, from a real Redis that has Feast's bytes.
/// The proxy between them stalls and cuts.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(180)
class RedisServingTest {
    private static final int EVENT_LOOPS = ServerConfig.of(Path.of(".")).eventLoops();

    static final String DRIVER =
            "0100000002000000090000006472697665725f69640400000008000000%s000000000000666561747572655f7265706f";
    static final String TIME = "5f74733a6472697665725f686f75726c795f7374617473";
    private static final String FEATURES = """
        apiVersion: v1
        kind: FeaturePipeline
        name: drivers
        version: 1
        entities:
          - {name: driver, join_keys: [driver_id], type: int64}
        sources:
          driver_hourly_stats:
            kind: store
            entity: driver
            on_unavailable: POLICY
            fields:
              - {name: conv_rate, type: float64, default: 8}
              - {name: acc_rate, type: float32, default: 16}
              - {name: avg_daily_trips, type: int64, default: 32}
        request:
          - {name: driver_id, type: int64}
          - {name: amount, type: float64}
        features:
          - {name: amount, input: amount, default: 0}
          - {name: conv_rate, input: driver_hourly_stats.conv_rate, default: 0}
          - {name: acc_rate, input: driver_hourly_stats.acc_rate, default: 0}
          - {name: trips, input: driver_hourly_stats.avg_daily_trips, default: 0}
        output: {tensor: x, type: float32, layout: row}
        """;

    private Path repository;
    private TestRedis redis;
    private FaultyProxy proxy;
    private RedisStore store;
    private TestServer server;

    @BeforeAll
    void fill(@TempDir Path temp) throws IOException {
        repository = temp;
        redis = TestRedis.start();
        redis.write(
                DRIVER.formatted("e903"),
                Map.of("6160e3da", "350000003f", "fa5e58ad", "", "18a5e5a3", "2003", TIME, "08e807"));
        redis.write(DRIVER.formatted("ea03"), Map.of("6160e3da", "350000803f", TIME, "08e807"));
        for (String policy : List.of("reject", "stale", "default")) {
            writeModel(temp, policy, policy);
        }
        addEnsemble(repository);
    }

    /// A model of a name and a policy, which adds the amount, twice the first stored value, three times the second,
    /// four times the third, and 0.5.
    static Path writeModel(Path repository, String name, String policy) throws IOException {
        Path version = Files.createDirectories(repository.resolve(name + "/1"));
        Files.copy(
                TestServer.models().resolve("linear/1/model.onnx"),
                version.resolve("model.onnx"),
                StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(version.resolve("features.yaml"), FEATURES.replace("POLICY", policy));
        return version;
    }

    /// A model of others, of which the first needs Redis.
    private static void addEnsemble(Path repository) throws IOException {
        Files.createDirectories(repository.resolve("chain/1"));
        Files.writeString(repository.resolve("chain/config.pbtxt"), """
            platform: "ensemble"
            input { name: "drivers" data_type: TYPE_INT64 dims: -1 }
            input { name: "amounts" data_type: TYPE_FP64 dims: -1 }
            output { name: "scores" data_type: TYPE_FP32 dims: [ -1, 2 ] }
            ensemble_scheduling { step { model_name: "reject" model_version: -1
              input_map { key: "driver_id" value: "drivers" } input_map { key: "amount" value: "amounts" }
              output_map { key: "y" value: "scores" } } }
            """);
    }

    private CompletableFuture<Prediction> chain() {
        var model = server.server().runtime().model("chain");
        return model.predictAsync(
                model.request().set("drivers", new long[] {1001, 1002}).set("amounts", new double[] {2, 2}));
    }

    @Test
    void shouldBeAStepOfAnEnsemble() {
        assertThat(chain().join().floats("scores")).containsExactly(15.5f, -1.5f, 4.5f, -2f);
        proxy.stall(true);
        CompletableFuture<Prediction> waiting = chain();
        await(() -> store.counts().pending() == 2);
        server.server().runtime().lifecycle().load("reject");
        proxy.stall(false);
        assertThat(waiting.join().floats("scores")).as("beside a swap").containsExactly(15.5f, -1.5f, 4.5f, -2f);
    }

    /// What was fetched for a request that nobody wants any more is not another one's.
    @Test
    void shouldForgetWhatCancelledRequestsFetched() {
        var model = server.server().runtime().model("reject");
        for (int i = 0; i < 20; i++) {
            proxy.stall(true);
            CompletableFuture<Prediction> unwanted =
                    model.predictAsync(model.request().set("driver_id", 1002L).set("amount", 2.0));
            await(() -> store.counts().pending() == 1);
            assertThat(unwanted.cancel(true)).isTrue();
            proxy.stall(false);
            assertThat(answer(model.predict(
                            model.request().set("driver_id", 1001L).set("amount", 2.0))))
                    .isEqualTo(15.5f);
            await(() -> store.counts().pending() == 0);
        }
    }

    @BeforeEach
    void serve() throws IOException {
        proxy = new FaultyProxy(redis.port());
        start(Duration.ofSeconds(60));
    }

    private void start(Duration timeout) {
        store = RedisStore.open(RedisOptions.of("127.0.0.1:" + proxy.port(), "feature_repo")
                .withTimeout(timeout)
                .withViews(Map.of(
                        "pairs", new RedisOptions.DeclaredView(List.of("user", "customer"), Duration.ofHours(1))))
                .withBounds(1000, 0)
                .withCache(Duration.ZERO, 1 << 20));
        await(store::isConnected);
        server = TestServer.start(
                repository, config -> config.withRuntime(config.runtime().withRemoteStore(store)));
    }

    private void restart(Duration timeout) {
        server.close();
        store.close();
        start(timeout);
    }

    @AfterEach
    void close() throws IOException {
        proxy.stall(false);
        server.close();
        store.close();
        proxy.close();
    }

    @AfterAll
    void stop() {
        if (redis != null) {
            redis.close();
        }
    }

    private static void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            Thread.onSpinWait();
        }
    }

    private Reply predict(String model, String instances) {
        return server.post("/v1/models/" + model + ":predict", Bodies.json("{'instances':[" + instances + "]}"));
    }

    private static String of(int driver) {
        return "{'driver_id':" + driver + ",'amount':2}";
    }

    @Test
    void shouldServeModelsFromRedis() {
        // 2 + 2 * 0.5 + 3 * 0 + 4 * 3 + 0.5 of the first, and all by default of the last.
        Reply reply = predict("reject", of(1001) + "," + of(1002) + "," + of(1001) + ",{'amount':2}");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.body()).isEqualTo("{\"predictions\":[[15.5,-1.5],[4.5,-2.0],[15.5,-1.5],[194.5,9.5]]}");
        assertThat(predict("reject", of(5)).body()).isEqualTo("{\"predictions\":[[194.5,9.5]]}");
        assertThat(store.counts().failed()).isZero();
    }

    @Test
    void shouldTellWhatBecameOfEachFeature() {
        Reply reply = server.post(
                "/v1/models/reject:predict",
                Bodies.json("{'instances':[" + of(1001) + "," + of(1002) + "," + of(3) + "],'reports':true}"));
        assertThat(reply.body())
                .contains("\"conv_rate\":\"PRESENT\",\"acc_rate\":\"NULL_VALUE\",\"trips\":\"PRESENT\"")
                .contains("\"conv_rate\":\"PRESENT\",\"acc_rate\":\"NULL_VALUE\",\"trips\":\"NULL_VALUE\"")
                .contains("\"conv_rate\":\"NOT_FOUND\",\"acc_rate\":\"NOT_FOUND\",\"trips\":\"NOT_FOUND\"");
    }

    @Test
    void shouldDoAsThePolicySaysWhenRedisIsAway() {
        assertThat(predict("stale", of(1001)).body()).contains("15.5");
        restart(Duration.ofMillis(100));
        // The first may take longer than that.
        await(() -> predict("stale", of(1001)).body().contains("15.5"));
        proxy.stall(true);
        Reply refused = predict("reject", of(1001));
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.body())
                .contains("stored values of view 'driver_hourly_stats' could not be had: "
                        + "Redis did not answer in 100.0 ms");
        assertThat(predict("default", of(1001)).body()).isEqualTo("{\"predictions\":[[194.5,9.5]]}");
        assertThat(predict("stale", of(1001)).body()).contains("15.5");
        assertThat(predict("stale", of(1002)).body()).as("not at hand").contains("194.5");
        Reply told = server.post(
                "/v1/models/stale:predict",
                Bodies.json("{'instances':[" + of(1001) + "," + of(1002) + "],'reports':true}"));
        assertThat(told.body())
                .contains("\"conv_rate\":\"UNAVAILABLE\",\"acc_rate\":\"UNAVAILABLE\",\"trips\":\"UNAVAILABLE\"")
                .contains("[15.5,-1.5],[194.5,9.5]");
        proxy.stall(false);
        await(() -> predict("reject", of(1001)).status() == 200);
    }

    @Test
    void shouldKeepARequestsTimeLimitWhileItWaitsForRedis() throws Exception {
        proxy.stall(true);
        HttpResponse<String> late = server.client()
                .send(
                        server.request("/v1/models/default:predict")
                                .header("x-millrace-timeout-us", "20000")
                                .POST(BodyPublishers.ofString(Bodies.json("{'instances':[" + of(1001) + "]}")))
                                .build(),
                        BodyHandlers.ofString());
        assertThat(late.statusCode()).as(late.body()).isEqualTo(504);
    }

    /// The event loop serves others while a request waits for Redis.
    @Test
    void shouldNotKeepOthersWaiting() {
        proxy.stall(true);
        List<CompletableFuture<HttpResponse<String>>> waiting = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            waiting.add(server.client()
                    .sendAsync(
                            server.request("/v1/models/reject:predict")
                                    .POST(BodyPublishers.ofString(Bodies.json("{'instances':[" + of(1001) + "]}")))
                                    .build(),
                            BodyHandlers.ofString()));
        }
        await(() -> store.counts().joined() == 15);
        assertThat(server.get("/v2/health/live").status()).isEqualTo(200);
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        proxy.stall(false);
        waiting.forEach(each -> assertThat(each.join().body()).contains("15.5"));
    }

    @Test
    void shouldForgetRequestsWhoseClientsHaveGone() {
        proxy.stall(true);
        try (RawClient client = server.connect()) {
            String body = Bodies.json("{'instances':[" + of(1001) + "]}");
            client.send("POST /v1/models/reject:predict HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length()
                    + "\r\n\r\n" + body);
            await(() -> store.counts().pending() == 1);
        }
        proxy.stall(false);
        await(() -> store.counts().pending() == 0);
        assertThat(predict("reject", of(1001)).body()).contains("15.5");
    }

    @Test
    void shouldAnswerWhatWaitsWhenAVersionIsReplaced() throws Exception {
        proxy.stall(true);
        CompletableFuture<HttpResponse<String>> waiting = server.client()
                .sendAsync(
                        server.request("/v1/models/reject:predict")
                                .POST(BodyPublishers.ofString(Bodies.json("{'instances':[" + of(1001) + "]}")))
                                .build(),
                        BodyHandlers.ofString());
        await(() -> store.counts().pending() == 1);
        server.server().runtime().lifecycle().load("reject");
        proxy.stall(false);
        assertThat(waiting.get().body()).contains("15.5");
    }

    /// What comes then is not what was asked for: the event loop waits for it, and cannot read it itself.
    @Test
    void shouldFetchAnewForAVersionWithOtherViews() throws Exception {
        Path version = writeModel(repository, "changing", "reject");
        server.server().runtime().lifecycle().load("changing");
        await(() -> redis.connections() == 2 + EVENT_LOOPS);
        proxy.stall(true);
        CompletableFuture<HttpResponse<String>> waiting = server.client()
                .sendAsync(
                        server.request("/v1/models/changing:predict")
                                .POST(BodyPublishers.ofString(Bodies.json("{'instances':[" + of(1001) + "]}")))
                                .build(),
                        BodyHandlers.ofString());
        await(() -> store.counts().pending() == 1);
        Files.writeString(
                version.resolve("features.yaml"),
                FEATURES.replace("POLICY", "reject")
                        .replace("      - {name: avg_daily_trips, type: int64, default: 32}\n", "")
                        .replace("driver_hourly_stats.avg_daily_trips", "amount"));
        server.server().runtime().lifecycle().load("changing");
        proxy.stall(false);
        // 2 + 2 * 0.5 + 3 * 0 + 4 * 2 + 0.5.
        assertThat(waiting.get().body()).contains("11.5");
    }

    @Test
    void shouldServeInTheOwnProcess() {
        var model = server.server().runtime().model("reject");
        assertThat(answer(model.predict(model.request().set("driver_id", 1001L).set("amount", 2.0))))
                .isEqualTo(15.5f);
        Prediction later = model.predictAsync(
                        model.request().set("driver_id", 1002L).set("amount", 2.0))
                .join();
        assertThat(answer(later)).isEqualTo(4.5f);
        proxy.cut(true);
        await(() -> !store.isConnected());
        CompletableFuture<Prediction> refused =
                model.predictAsync(model.request().set("driver_id", 1002L).set("amount", 2.0));
        try {
            refused.join();
            throw new AssertionError("answered");
        } catch (CompletionException e) {
            assertThat(((InferenceException) e.getCause()).outcome()).isEqualTo(Outcome.UNAVAILABLE);
        }
        proxy.cut(false);
    }

    private static float answer(Prediction prediction) {
        return prediction.floats("y")[0];
    }

    @Test
    void shouldAnswerAsFeastDoes() {
        Reply reply = server.post("/get-online-features", Bodies.json("""
            {'features':['driver_hourly_stats:conv_rate','driver_hourly_stats:acc_rate',
            'driver_hourly_stats:avg_daily_trips','other:x'],'entities':{'driver_id':[1001,1002,7,null]}}\
            """));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        String some = "'event_timestamps':['1970-01-01T00:16:40Z','1970-01-01T00:16:40Z',never,never]}";
        String expected = """
            {'metadata':{'feature_names':['driver_id','conv_rate','acc_rate','avg_daily_trips','x']},'results':[
            {'values':[1001,1002,7,null],'statuses':['PRESENT','PRESENT','PRESENT','PRESENT'],
            'event_timestamps':[never,never,never,never]},
            {'values':[0.5,1.0,null,null],'statuses':['PRESENT','PRESENT','NOT_FOUND','NOT_FOUND'],SOME,
            {'values':[null,null,null,null],'statuses':['NULL_VALUE','NOT_FOUND','NOT_FOUND','NOT_FOUND'],SOME,
            {'values':[3,null,null,null],'statuses':['PRESENT','NOT_FOUND','NOT_FOUND','NOT_FOUND'],SOME,
            {'values':[null,null,null,null],'statuses':['NOT_FOUND','NOT_FOUND','NOT_FOUND','NOT_FOUND'],
            'event_timestamps':[never,never,never,never]}]}\
            """.replace("SOME", some)
                .replace("never", "'1970-01-01T00:00:00Z'")
                .replace("\n", "");
        assertThat(reply.body()).isEqualTo(Bodies.json(expected));
    }

    /// Of an entity with two join keys, and older than its view allows.
    @Test
    void shouldAnswerByWhatIsDeclaredOfAView() {
        redis.write(
                "020000000200000008000000637573746f6d65720200000004000000757365720200000004000000"
                        + "7465737404000000080000000080000000000000666561747572655f7265706f",
                Map.of(
                        HexFormat.of().formatHex(new FeastView("pairs", List.of(), List.of("x")).hashFields()[0]),
                        "20e907",
                        "5f74733a7061697273",
                        "08e807"));
        Reply reply = server.post(
                "/get-online-features",
                Bodies.json("{'features':['pairs:x'],'entities':{'user':[32768,32768],'customer':['test','x']}}"));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.body())
                .endsWith(Bodies.json("{'values':[1001,null],'statuses':['OUTSIDE_MAX_AGE','NOT_FOUND'],"
                        + "'event_timestamps':['1970-01-01T00:16:40Z','1970-01-01T00:00:00Z']}]}"));
        assertThat(server.post("/get-online-features", Bodies.json("{'features':['pairs:x'],'entities':{'user':[1]}}"))
                        .error())
                .isEqualTo("entities has [user], expected 'customer' for view 'pairs'");
    }

    @Test
    void shouldAnswerTheFeaturesOfAModelAsAService() {
        Reply reply = server.post(
                "/get-online-features", Bodies.json("{'feature_service':'stale','entities':{'driver_id':[1001]}}"));
        assertThat(reply.body()).contains(Bodies.json("['driver_id','conv_rate','acc_rate','avg_daily_trips']"));
    }

    @Test
    void shouldRefuseFeaturesWhenRedisIsAway() {
        String body = Bodies.json("{'features':['driver_hourly_stats:conv_rate'],'entities':{'driver_id':[1001]}}");
        restart(Duration.ofMillis(50));
        proxy.stall(true);
        Reply reply = server.post("/get-online-features", body);
        assertThat(reply.status()).isEqualTo(503);
        assertThat(reply.body()).contains("view 'driver_hourly_stats' could not be had: Redis did not answer");
        proxy.stall(false);
        await(() -> server.post("/get-online-features", body).status() == 200);
    }

    @Test
    void shouldRefuseWhatIsWrong() {
        assertThat(server.post("/get-online-features", Bodies.json("{'features':['a:b'],'entities':{'x':[1],'y':[2]}}"))
                        .error())
                .isEqualTo("entities has [x, y], expected one join key: neither a served model nor the configuration"
                        + " says which are those of view 'a'");
        assertThat(server.post(
                                "/get-online-features",
                                Bodies.json("{'features':['driver_hourly_stats:b'],'entities':{'driver_id':[1.5]}}"))
                        .error())
                .isEqualTo("entities.driver_id[0] is 1.5, expected an integer");
        assertThat(server.post("/get-online-features", Bodies.json("{'features':['a:b'],'entities':{'x':[1,'2']}}"))
                        .error())
                .isEqualTo("entities.x[0] is 1, expected a string");
    }
}
