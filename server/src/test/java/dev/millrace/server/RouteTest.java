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
                "/v2/models/m/",
                "/v2/models/m/infer/",
                "/v2/models/m/versions",
                "/v2/models/m/versions/",
                "/v2/models/m/versions/1/",
                "/v2/models/m/versions//infer",
                "/v2/models/m/version/1",
                "/metrics/",
                "http://host",
                "http://host?/v2",
                "/v1/models/m:predict"
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
