// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.manage.ManagementException;
import dev.millrace.manage.ManagementException.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AdminAccessTest {
    private static final ControlConfig EXPLICIT = ControlConfig.DEFAULT.withMode(ControlMode.EXPLICIT);
    private static final AdminAccess WITH_TOKEN = new AdminAccess(EXPLICIT.withToken(AdminToken.of("s3cret")));

    @ParameterizedTest
    @ValueSource(strings = {"Bearer s3cret", "bearer s3cret", "BEARER s3cret ", "Bearer   s3cret"})
    void shouldLetInWhoBringsTheToken(String authorization) {
        assertThatCode(() -> WITH_TOKEN.require(true, authorization, false)).doesNotThrowAnyException();
        assertThatCode(() -> WITH_TOKEN.require(false, authorization, false)).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "null",
            value = {
                "null, UNAUTHENTICATED",
                "'', UNAUTHENTICATED",
                "s3cret, UNAUTHENTICATED",
                "Basic s3cret, UNAUTHENTICATED",
                "Bearer, UNAUTHENTICATED",
                "'Bearer ', FORBIDDEN",
                "Bearer s3cre, FORBIDDEN",
                "Bearer s3crets, FORBIDDEN",
                "Bearer S3CRET, FORBIDDEN",
                "Bearer s3cret s3cret, FORBIDDEN",
            })
    void shouldRefuseWhoDoesNot(String authorization, Problem problem) {
        assertThatThrownBy(() -> WITH_TOKEN.require(true, authorization, false))
                .isInstanceOfSatisfying(
                        ManagementException.class,
                        refusal -> assertThat(refusal.problem()).isEqualTo(problem))
                .hasMessageNotContaining("s3cret");
    }

    @Test
    void shouldLetInWhoComesByTheAdminPortOnly() {
        AdminAccess closed = new AdminAccess(EXPLICIT);

        assertThatCode(() -> closed.require(true, null, true)).doesNotThrowAnyException();
        assertThatThrownBy(() -> closed.require(true, "Bearer s3cret", false))
                .hasMessageContainingAll("--admin-token-file", "--admin-port")
                .isInstanceOfSatisfying(
                        ManagementException.class,
                        refusal -> assertThat(refusal.problem()).isEqualTo(Problem.FORBIDDEN));
    }

    @Test
    void shouldLeaveToOthersWhatIsRefusedToEverybody() {
        AdminAccess fixed = new AdminAccess(ControlConfig.DEFAULT);

        assertThatCode(() -> fixed.require(true, null, false)).doesNotThrowAnyException();
        assertThatThrownBy(() -> fixed.require(false, null, false)).isInstanceOf(ManagementException.class);
    }

    @Test
    void shouldKeepTheSecretToItself(@TempDir Path temp) throws IOException {
        Path file = Files.writeString(temp.resolve("token"), "s3cret\n");

        AdminToken token = AdminToken.read(file);

        assertThat(token.is("s3cret")).isTrue();
        assertThat(EXPLICIT.withToken(token).toString()).doesNotContain("s3cret");
        for (String bad : new String[] {"", " ", "\n", "two words", "tab\tbed", "ümlaut"}) {
            Files.writeString(file, bad);
            assertThatThrownBy(() -> AdminToken.read(file)).isInstanceOf(IllegalArgumentException.class);
        }
        Files.writeString(file, "x".repeat(5000));
        assertThatThrownBy(() -> AdminToken.read(file)).hasMessageContaining("more than 4096 bytes");
    }
}
