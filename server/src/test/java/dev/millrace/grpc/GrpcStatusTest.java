// SPDX-License-Identifier: Apache-2.0
package dev.millrace.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.runtime.Outcome;
import io.grpc.Status;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class GrpcStatusTest {
    @Test
    void shouldGiveEveryOutcomeItsStatus() {
        Map<Outcome, Status.Code> codes = Arrays.stream(Outcome.values())
                .collect(Collectors.toMap(
                        outcome -> outcome, outcome -> GrpcStatus.of(outcome).getCode()));

        assertThat(codes)
                .isEqualTo(Map.of(
                        Outcome.OK, Status.Code.OK,
                        Outcome.INVALID, Status.Code.INVALID_ARGUMENT,
                        Outcome.NOT_FOUND, Status.Code.NOT_FOUND,
                        Outcome.TOO_LARGE, Status.Code.RESOURCE_EXHAUSTED,
                        Outcome.OVERLOADED, Status.Code.RESOURCE_EXHAUSTED,
                        Outcome.CANCELLED, Status.Code.CANCELLED,
                        Outcome.EXPIRED, Status.Code.DEADLINE_EXCEEDED,
                        Outcome.FAILED, Status.Code.INTERNAL,
                        Outcome.UNAVAILABLE, Status.Code.UNAVAILABLE));
    }

    @Test
    void shouldTellWhenToComeAgain() {
        assertThat(GrpcStatus.retryAfter(0).keys()).isEmpty();
        assertThat(GrpcStatus.retryAfter(1).get(GrpcStatus.RETRY_AFTER_MILLIS)).isEqualTo("1");
        assertThat(GrpcStatus.retryAfter(1_500_000).get(GrpcStatus.RETRY_AFTER_MILLIS))
                .isEqualTo("2");
    }
}
