// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DataTypeTest {
    @ParameterizedTest
    @EnumSource
    void shouldBeFoundByItsNameAndItsCode(DataType type) {
        assertThat(DataType.named(type.name())).contains(type);
        assertThat(DataType.ofOnnxCode(type.onnxCode())).contains(type);
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveTheSizeThatItsNameSays(DataType type) {
        String bits = type.name().replaceAll("\\D", "");
        int expected = switch (type) {
            case BOOL -> 1;
            case BYTES -> 0;
            default -> Integer.parseInt(bits) / 8;
        };

        assertThat(type.byteSize()).isEqualTo(expected);
        assertThat(type.isNumeric()).isEqualTo(type != DataType.BYTES);
        assertThat(type.isFloating()).isEqualTo(type.name().matches("B?FP?\\d+"));
    }

    @Test
    void shouldFindNothingForOtherNamesAndCodes() {
        assertThat(DataType.named("fp32")).isEmpty();
        assertThat(DataType.named("STRING")).isEmpty();
        assertThat(DataType.ofOnnxCode(0)).isEmpty();
        assertThat(DataType.ofOnnxCode(14)).as("complex64").isEmpty();
    }
}
