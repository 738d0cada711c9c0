// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.protocol.Refusal;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouteTest {
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "/v2, SERVER, -, -",
                "/v2?x=/y, SERVER, -, -",
                "http://host:80/v2, SERVER, -, -",
                "/v2/health/live, LIVE, -, -",
                "/v2/health/ready, READY, -, -",
                "/metrics, METRICS, -, -",
                "/v2/models/stats, STATISTICS, -, -",
                "/v2/models/stats/stats, MODEL_STATISTICS, stats, -",
                "/v2/models/stats/versions/1, MODEL, stats, 1",
                "/v2/models/m/versions/3/stats, MODEL_STATISTICS, m, 3",
                "/v2/models/m/config, MODEL_CONFIG, m, -",
                "/v2/models/m/versions/3/config, MODEL_CONFIG, m, 3",
                "/v2/models/m/versions, MODEL_VERSIONS, m, -",
                "/v2/models/m/versions/champion/infer, INFER, m, champion",
                "/v2/repository/models/m/rollback, ROLLBACK, m, -",
                "/v2/repository/models/a%2Fb/aliases/champion, ALIAS, a/b, champion",
                "/v2/repository/models/m/aliases/a%20b, ALIAS, m, a b",
                "/v2/repository/index, INDEX, -, -",
                "/v2/repository/models/a%2Fb/load, LOAD, a/b, -",
                "/v2/repository/models/m/unload?x, UNLOAD, m, -",
                "/v2/logging, LOG, -, -",
                "/v2/trace/setting, TRACE, -, -",
                "/v2/models/m/trace/setting, TRACE, m, -",
                "/v2/systemsharedmemory/status, SHARED_MEMORY, -, -",
                "/v2/cudasharedmemory/region/r/unregister, SHARED_MEMORY, -, -",
                "/v2/models/m/generate_stream, GENERATE, m, -",
                "/v2/models/m, MODEL, m, -",
                "/v2/models/m#f, MODEL, m, -",
                "/v2/models/m/ready, MODEL_READY, m, -",
                "/v2/models/m/infer, INFER, m, -",
                "/v2/models/m/versions/3, MODEL, m, 3",
                "/v2/models/m/versions/3/ready, MODEL_READY, m, 3",
                "/v2/models/m/versions/v10/infer?a, INFER, m, v10",
                "/v2/models/versions/versions/1/infer, INFER, versions, 1",
                "/v2/models/a%2Fb%20c+%C3%A9/infer, INFER, a/b c+é, -",
                "/v2/models/%69nfer/infer, INFER, infer, -",
                "/v1/models/m:predict, PREDICT, m, -",
                "/v1/models/m/versions/3:predict, PREDICT, m, 3",
                "/v1/models/m, PREDICT_STATUS, m, -",
                "/ping, PING, -, -",
                "/invocations, INVOKE, -, -",
                "/v1/models/m/versions/3/metadata, PREDICT_METADATA, m, 3",
            })
    void shouldFindWhatIsThere(String uri, Route.Target target, String model, String version) {
        assertThat(Route.of(uri)).isEqualTo(new Route(target, model, version));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "*",
                "/v2/",
                "/V2",
                "/v2/health",
                "/v2/health/live/",
                "/v2/models",
                "/v2/models/",
                "/v2/models//infer",
                "/v2/repository/models//load",
                "/v2/repository/models/m",
                "/v2/repository/models/m/loads",
                "/v2/repository/other/models/m/load",
                "/v2/systemsharedmemory",
                "/v2/trace",
                "/v2/models/m/",
                "/v2/models/m/infer/",
                "/v2/models/m/versions/",
                "/v2/models/m/versions/1/versions",
                "/v2/repository/models/m/aliases",
                "/v2/repository/models/m/aliases/",
                "/v2/repository/models/m/aliases/a/b",
                "/v2/repository/models//rollback",
                "/v2/models/m/versions/1/",
                "/v2/models/m/versions//infer",
                "/v2/models/m/version/1",
                "/metrics/",
                "http://host",
                "http://host?/v2"
            })
    void shouldFindNothingElse(String uri) {
        assertThat(Route.of(uri)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v2/models/%",
                "/v2/models/%2",
                "/v2/models/%zz/infer",
                "/v2/models/%ff",
                "/v2/models/m/versions/%c3"
            })
    void shouldRefuseWhatIsNotPercentEncoded(String uri) {
        assertThatThrownBy(() -> Route.of(uri)).isInstanceOf(Refusal.class).hasMessageContaining("percent");
    }
}
