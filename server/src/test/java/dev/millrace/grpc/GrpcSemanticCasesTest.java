// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.conformance.SuiteFixture;
import dev.millrace.control.ControlConfig;
import dev.millrace.control.ControlMode;
import dev.millrace.grpc.GrpcCases.Check;
import dev.millrace.limit.Limit;
import dev.millrace.server.ServerConfig;
import dev.millrace.server.TestServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every case of the conformance suite that means something over gRPC, asked over gRPC, with the outcome that it has
/// over HTTP: the same values, or the status that corresponds to HTTP's.
class GrpcSemanticCasesTest {
    /// What cannot be asked over gRPC, and why.
    private static final Map<String, String> HTTP_ONLY = Map.ofEntries(
            Map.entry("server.health-method", "every call is a POST"),
            Map.entry("infer.fractional-dimension", "a dimension is an int64"),
            Map.entry("infer.ragged", "contents are not nested"),
            Map.entry("json.white-space", "protobuf has no white space"),
            Map.entry("http.chunked", "chunks are of HTTP/1.1"),
            Map.entry("http.split", "requests of HTTP/1.1 as they are on a connection, which gRPC's are not"),
            Map.entry("binary.header", "the header has the length of a request's JSON"),
            Map.entry("binary.raw", "a body without JSON, whereas a message always names its inputs"),
            Map.entry("http.expect-continue", "100 Continue is of HTTP/1.1"),
            Map.entry("http.header-case", "HTTP/2 has names of headers in lower case only"),
            Map.entry("http.encoded-path", "the model's name is in the message, not in the path"),
            Map.entry("http.method", "every call is a POST"));

    private static final int MAX_BODY = 2 << 20;

    @TempDir
    static Path models;

    @TempDir
    static Path traces;

    private static TestServer server;
    private static GrpcClient client;

    @BeforeAll
    static void start() {
        SuiteFixture.writeModels(models);
        ControlConfig control =
                ControlConfig.DEFAULT.withMode(ControlMode.EXPLICIT).withStartUpModels(Set.of(ControlConfig.ALL));
        server = TestServer.start(_ -> ServerConfig.of(models)
                .withPort(0)
                .withGrpcPort(0)
                .withLimit(Limit.MAX_BODY_BYTES, MAX_BODY)
                .withControl(control)
                .withTraceFolder(traces));
        client = new GrpcClient(server);
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    private static List<Map<String, Check>> tables() {
        return List.of(GrpcServerCases.all(), GrpcRequestCases.all(), GrpcValueCases.all(), GrpcWireCases.all());
    }

    /// By the suite's order.
    static Stream<Arguments> cases() {
        Map<String, Check> all = new HashMap<>();
        tables().forEach(all::putAll);
        return SuiteFixture.ids().stream().filter(all::containsKey).map(id -> Arguments.of(id, all.get(id)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void shouldHaveTheSameOutcomeWhenACaseIsAskedOverGrpc(String id, Check check) throws Exception {
        check.ask(client);
    }

    @Test
    void shouldAskEveryCaseOrSayWhyNot() {
        List<String> covered = new ArrayList<>(HTTP_ONLY.keySet());
        tables().forEach(table -> covered.addAll(table.keySet()));

        assertThat(covered)
                .as("cases that are asked over gRPC, and those that are of HTTP only")
                .doesNotHaveDuplicates()
                .containsExactlyInAnyOrderElementsOf(SuiteFixture.ids());
        assertThat(HTTP_ONLY)
                .allSatisfy((id, reason) -> assertThat(reason).as(id).isNotBlank());
    }
}
