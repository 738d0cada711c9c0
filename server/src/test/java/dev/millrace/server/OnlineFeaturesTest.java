// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.control.AdminToken;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Stored features by themselves, as Feast's server answers.
class OnlineFeaturesTest {
    private static final String PATH = "/get-online-features";
    private static final String TOKEN = "only-for-this-test-0123456789";
    private static final long NEW_YEAR = 1_767_225_600_000_000L;

    @TempDir
    Path temp;

    private EmbeddedStore store;
    private TestServer server;

    @BeforeEach
    void fill() throws IOException {
        store = EmbeddedStore.open(
                temp.resolve("store"),
                StoreOptions.DEFAULT,
                ViewSchema.parse("""
                    view driver_hourly_stats
                    key driver_id int64
                    field conv_rate float32
                    field acc_rate float64
                    field trips int32
                    field total int64
                    field active bool
                    field seen timestamp
                    field city string(20)
                    """),
                ViewSchema.parse("view customers\nkey customer string(16)\nfield orders int64\n"));
        View drivers = store.view("driver_hourly_stats");
        WriteBatch batch = new WriteBatch();
        batch.row(drivers, 1001, NEW_YEAR, NEW_YEAR)
                .putFloat(0, 0.7f)
                .putDouble(1, 1 / 3.0)
                .putInt(2, -5)
                .putLong(3, Long.MAX_VALUE)
                .putBoolean(4, true)
                .putLong(5, NEW_YEAR + 1_999_999)
                .putString(6, "Z\u00fcrich");
        batch.row(drivers, 1003, NEW_YEAR + 1_500_000, NEW_YEAR).putFloat(0, Float.NaN);
        batch.row(store.view("customers"), "caf\u00e9", NEW_YEAR + 1, NEW_YEAR).putLong(0, 3);
        store.write(batch);
    }

    private void serve() {
        server = TestServer.start(config -> config.withRuntime(config.runtime().withFeatureStore(store)));
    }

    @AfterEach
    void close() throws IOException {
        // The server looks at all native memory of the process when it closes.
        store.close();
        server.close();
    }

    @Test
    void shouldAnswerByColumns() {
        serve();
        TestServer.Reply reply = server.post(PATH, Bodies.json("""
            {'features':['driver_hourly_stats:conv_rate','driver_hourly_stats:city','customers:orders'],
             'entities':{'driver_id':[1001,1002,null,1003],'customer':['caf\u00e9','x','caf\u00e9','caf\u00e9']}}\
            """));

        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        String expected = """
            {'metadata':{'feature_names':['driver_id','customer','conv_rate','city','orders']},'results':[
            {'values':[1001,1002,null,1003],'statuses':['PRESENT','PRESENT','PRESENT','PRESENT'],
            'event_timestamps':[never,never,never,never]},
            {'values':['caf\u00e9','x','caf\u00e9','caf\u00e9'],'statuses':['PRESENT','PRESENT','PRESENT','PRESENT'],
            'event_timestamps':[never,never,never,never]},
            {'values':[0.7,null,null,NaN],'statuses':['PRESENT','NOT_FOUND','NOT_FOUND','PRESENT'],
            'event_timestamps':['2026-01-01T00:00:00Z',never,never,'2026-01-01T00:00:01.500Z']},
            {'values':['Z\u00fcrich',null,null,null],'statuses':['PRESENT','NOT_FOUND','NOT_FOUND','NULL_VALUE'],
            'event_timestamps':['2026-01-01T00:00:00Z',never,never,'2026-01-01T00:00:01.500Z']},
            {'values':[3,null,3,3],'statuses':['PRESENT','NOT_FOUND','PRESENT','PRESENT'],
            'event_timestamps':[late,never,late,late]}]}
            """.replace("never", "'1970-01-01T00:00:00Z'")
                .replace("late", "'2026-01-01T00:00:00.000001Z'")
                .replace("\n", "");
        assertThat(reply.body()).isEqualTo(Bodies.json(expected));
    }

    @Test
    void shouldAnswerEveryType() {
        serve();
        TestServer.Reply reply = server.post(PATH, Bodies.json("""
            {'features':['driver_hourly_stats:acc_rate','driver_hourly_stats:trips','driver_hourly_stats:total',
              'driver_hourly_stats:active','driver_hourly_stats:seen'],
             'entities':{'driver_id':[1001]},'full_feature_names':true,'include_feature_view_version_metadata':false}\
            """));

        JsonTree json = reply.json();
        assertThat(json.get("metadata").get("feature_names").scalars())
                .containsExactly(
                        "driver_id",
                        "driver_hourly_stats__acc_rate",
                        "driver_hourly_stats__trips",
                        "driver_hourly_stats__total",
                        "driver_hourly_stats__active",
                        "driver_hourly_stats__seen");
        assertThat(json.get("results").elements().stream()
                        .map(column -> column.get("values").scalars().getFirst()))
                .containsExactly("1001", "0.3333333333333333", "-5", "9223372036854775807", "true", "1767225601");
    }

    /// Larger requests are answered by another thread, and in their turn.
    @Test
    void shouldAnswerManyRows() {
        serve();
        String keys = "1001,2,".repeat(5_000) + "1003";
        JsonTree json = server.post(
                        PATH,
                        Bodies.json(
                                "{'features':['driver_hourly_stats:city'],'entities':{'driver_id':[" + keys + "]}}"))
                .json();
        JsonTree city = json.get("results").elements().getLast();
        assertThat(city.get("values").scalars()).hasSize(10_001).startsWith("Z\u00fcrich", "null");
        assertThat(city.get("statuses").scalars())
                .hasSize(10_001)
                .startsWith("PRESENT", "NOT_FOUND", "PRESENT")
                .endsWith("PRESENT", "NOT_FOUND", "NULL_VALUE");
    }

    /// A model is a feature service, and its ttl is how old values may be.
    @Test
    void shouldAnswerTheFeaturesOfAModel() throws IOException {
        Path version = Files.createDirectories(temp.resolve("models/ranking/3"));
        Files.copy(TestServer.models().resolve("linear/1/model.onnx"), version.resolve("model.onnx"));
        Files.writeString(version.resolve("features.yaml"), """
            apiVersion: v1
            kind: FeaturePipeline
            name: ranking
            version: 1
            entities: [{name: driver, join_keys: [driver_id], type: int64}]
            sources:
              driver_hourly_stats:
                kind: store
                entity: driver
                ttl: 2h
                fields: [{name: conv_rate, type: float32}, {name: trips, type: int32}]
            request: [{name: driver_id, type: int64}, {name: amount, type: float64}]
            features:
              - {name: all, inputs: [driver_hourly_stats.conv_rate, amount, amount, amount], transform: [concat]}
            output: {tensor: x, type: float32, layout: row}
            """);
        WriteBatch fresh = new WriteBatch();
        long now = Instant.now().toEpochMilli() * 1000;
        fresh.row(store.view("driver_hourly_stats"), 7, now, now).putFloat(0, 0.5f);
        fresh.row(store.view("driver_hourly_stats"), 8, now + 3_600_000_000L, now)
                .putInt(2, 4);
        store.write(fresh);
        server = TestServer.start(
                temp.resolve("models"),
                config -> config.withRuntime(config.runtime().withFeatureStore(store)));

        JsonTree json = server.post(
                        PATH, Bodies.json("{'feature_service':'ranking','entities':{'driver_id':[1001,7,8,9]}}"))
                .json();

        assertThat(json.get("metadata").get("feature_names").scalars())
                .containsExactly("driver_id", "conv_rate", "trips");
        JsonTree rate = json.get("results").elements().get(1);
        assertThat(rate.get("values").scalars()).containsExactly("0.7", "0.5", "null", "null");
        assertThat(rate.get("statuses").scalars())
                .containsExactly("OUTSIDE_MAX_AGE", "PRESENT", "NULL_VALUE", "NOT_FOUND");
        JsonTree trips = json.get("results").elements().get(2);
        assertThat(trips.get("statuses").scalars())
                .containsExactly("OUTSIDE_MAX_AGE", "NULL_VALUE", "PRESENT", "NOT_FOUND");
        assertThat(server.post(PATH, Bodies.json("{'feature_service':'rank','entities':{'driver_id':[1]}}"))
                        .error())
                .contains("there is no feature service 'rank', but [ranking]");
    }

    @Test
    void shouldSayWhatIsWrong() {
        serve();
        String entities = "'entities':{'driver_id':[1001,1002]}";
        String feature = "'features':['driver_hourly_stats:trips'],";
        refused(400, "[1]", "the body is an array, expected an object");
        refused(400, "{" + entities + "}", "neither features nor feature_service came, expected one of them");
        refused(400, "{'features':[]," + entities + "}", "features is empty, expected at least one view:feature");
        refused(400, "{'features':['trips']," + entities + "}", "feature 'trips' came, expected view:feature");
        refused(400, "{'features':[7]," + entities + "}", "features[0] is 7, expected a string");
        refused(400, "{" + feature + "'entities':{}}", "entities is empty, expected an object with an array");
        refused(400, "{" + feature + "'entities':{'driver_id':1001}}", "entities.driver_id is 1001, expected an array");
        refused(400, "{" + feature + "'entities':{'driver':[1]}}", "entities has [driver], expected 'driver_id'");
        refused(
                400,
                "{" + feature + "'entities':{'driver_id':[1],'b':[1,2]}}",
                "entities.b has 2 values, expected 1 as those before it have");
        refused(
                400,
                "{" + feature + "'entities':{'driver_id':[1,'1002']}}",
                "entities.driver_id[1] is '1002', expected an integer for the key of view 'driver_hourly_stats'");
        refused(400, "{" + feature + "'entities':{'driver_id':[1.5]}}", "entities.driver_id[0] is 1.5");
        refused(400, "{" + feature + "'entities':{'driver_id':[[1]]}}", "entities.driver_id[0] is an array");
        refused(
                400,
                "{'features':['driver_hourly_stats:trips','driver_hourly_stats:trips']," + entities + "}",
                "two features or join keys are called 'trips', expected full_feature_names");
        refused(400, "{" + feature + entities + ",'full_feature_names':1}", "full_feature_names is 1");
        refused(400, "{" + feature + entities, "malformed JSON");
        refused(404, "{'features':['drivers:trips']," + entities + "}", "there is no view 'drivers', but [");
        refused(404, "{'features':['customers:trips']," + entities + "}", "view 'customers' has no feature 'trips'");
        refused(400, "{" + feature + "'entities':{'driver_id':[1e400]}}", "entities.driver_id[0] is");
        refused(
                400,
                "{'features':['" + "a".repeat(300) + ":b']," + entities + "}",
                "features[0] has 302 characters, expected a name of at most 256");
        String many = "0,".repeat(200_000) + "0";
        refused(
                413,
                "{" + feature + "'entities':{'driver_id':[" + many + "]}}",
                "400002 values were asked for, expected at most 262144");
        assertThat(server.get(PATH).status()).isEqualTo(405);
    }

    private void refused(int status, String body, String message) {
        TestServer.Reply reply = server.post(PATH, Bodies.json(body));
        assertThat(reply.error()).contains(message);
        assertThat(reply.status()).isEqualTo(status);
    }

    @Test
    void shouldTakeRowsThatAreReadAtOnce() {
        serveWithAdmin();
        TestServer.Reply reply = push("""
            {'push_source_name':'driver_hourly_stats','to':'online','allow_registry_cache':true,'df':{
              'driver_id':[1001,1001,2000,1003],
              'event_timestamp':['2026-01-01 00:00:01','2025-12-31T23:59:59.5Z','2026-03-01T01:00:00+01:00',
                1767225600000000],
              'created':['2026-01-01T00:00:02Z',null,null,null],
              'conv_rate':[0.25,0.1,null,7],'acc_rate':[1,null,null,null],'trips':[-3,null,null,null],
              'total':[9007199254740993,null,null,null],'active':[false,null,null,null],
              'seen':['2026-01-01 10:00:00.5',null,null,null],'city':['Z\u00fcrich',null,null,null],
              'more':[1,2,3,4]}}\
            """);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.body()).isEqualTo("{\"rows\":4}");

        JsonTree json = server.post(PATH, Bodies.json("""
            {'features':['driver_hourly_stats:conv_rate','driver_hourly_stats:acc_rate','driver_hourly_stats:trips',
              'driver_hourly_stats:total','driver_hourly_stats:active','driver_hourly_stats:seen',
              'driver_hourly_stats:city'],'entities':{'driver_id':[1001,2000,1003]}}\
            """)).json();
        assertThat(json.get("results").elements().stream()
                        .map(column -> String.join(",", column.get("values").scalars())))
                .containsExactly(
                        "1001,2000,1003",
                        // What was so before is not brought back.
                        "0.25,null,NaN",
                        "1.0,null,null",
                        "-3,null,null",
                        "9007199254740993,null,null",
                        "false,null,null",
                        "1767261600,null,null",
                        "Z\u00fcrich,null,null");
        assertThat(json.get("results").elements().get(1).get("event_timestamps").scalars())
                .containsExactly("2026-01-01T00:00:01Z", "2026-03-01T00:00:00Z", "2026-01-01T00:00:01.500Z");
    }

    @Test
    void shouldSayWhatIsWrongWithAPushAndWriteNothing() {
        serveWithAdmin();
        String time = "'event_timestamp':['2026-02-01T00:00:00Z']";
        String source = "{'push_source_name':'customers','df':{";
        notPushed(400, "{'df':{'a':[1]}}", "push_source_name is missing, expected the name of a view");
        notPushed(400, "{'push_source_name':'customers'}", "df is missing, expected an object with an array");
        notPushed(404, "{'push_source_name':'x','df':{'a':[1]}}", "there is no view 'x', but [");
        notPushed(501, "{'to':'offline','push_source_name':'customers'}", "to is 'offline', expected online");
        notPushed(400, source + time + ",'orders':[1]}}", "expected 'customer' for view 'customers'");
        notPushed(400, source + "'customer':['a'],'orders':[1]}}", "expected 'event_timestamp' for view 'customers'");
        notPushed(400, source + "'customer':['a']," + time + "}}", "expected 'orders' for view 'customers'");
        notPushed(
                400,
                source + "'customer':['a']," + time + ",'orders':[1,2]}}",
                "df.orders has 2 values, expected 1 as those before it have");
        notPushed(400, source + "'customer':[7]," + time + ",'orders':[1]}}", "df.customer[0] is 7, expected a string");
        notPushed(400, source + "'customer':[null]," + time + ",'orders':[1]}}", "df.customer[0] is null");
        notPushed(
                400,
                source + "'customer':['12345678901234567']," + time + ",'orders':[1]}}",
                "df.customer[0]: the key 'customer' of view 'customers' is 17 bytes long");
        notPushed(
                400,
                "{'push_source_name':'driver_hourly_stats','df':{'driver_id':[5]," + time + ",'conv_rate':[1e39],"
                        + "'acc_rate':[1],'trips':[1],'total':[1],'active':[true],'seen':[1],'city':['a']}}",
                "df.conv_rate[0] is 1.0E39, expected what a float of 32 bits holds");
        notPushed(
                400,
                source + "'customer':['a'],'event_timestamp':['soon'],'orders':[1]}}",
                "df.event_timestamp[0] is 'soon', expected a time like 2026-01-31T12:00:00Z");
        notPushed(
                400,
                source + "'customer':['a','b'],'event_timestamp':['2026-02-01T00:00:00Z','2026-02-01T00:00:00Z'],"
                        + "'orders':[1,1.5]}}",
                "df.orders[1] is 1.5, expected an integer");
        assertThat(server.post(PATH, Bodies.json("{'features':['customers:orders'],'entities':{'customer':['a']}}"))
                        .json()
                        .get("results")
                        .elements()
                        .getLast()
                        .get("statuses")
                        .scalars())
                .containsExactly("NOT_FOUND");
    }

    @Test
    void shouldTakeRowsOnlyFromWhomItKnows() {
        serveWithAdmin();
        assertThat(server.post("/push", "{}").status()).isEqualTo(401);
        assertThat(server.send(server.request("/push")
                                .header("Authorization", "Bearer other-0123456789")
                                .POST(HttpRequest.BodyPublishers.ofString("{}")))
                        .status())
                .isEqualTo(403);
    }

    private void serveWithAdmin() {
        server = TestServer.start(config -> config.withRuntime(config.runtime().withFeatureStore(store))
                .withControl(config.control().withToken(AdminToken.of(TOKEN))));
    }

    private TestServer.Reply push(String body) {
        return server.send(server.request("/push")
                .header("Authorization", "Bearer " + TOKEN)
                .POST(HttpRequest.BodyPublishers.ofString(Bodies.json(body))));
    }

    private void notPushed(int status, String body, String message) {
        TestServer.Reply reply = push(body);
        assertThat(reply.error()).contains(message);
        assertThat(reply.status()).isEqualTo(status);
    }

    @Test
    void shouldSayThatThereIsNoStore() {
        server = TestServer.start(config -> config.withRuntime(RuntimeConfig.DEFAULT));
        TestServer.Reply reply = server.post(PATH, "{}");
        assertThat(reply.status()).isEqualTo(404);
        assertThat(reply.error())
                .contains("this server has no feature store, expected that --feature-store or the configuration file"
                        + " names one");
    }
}
