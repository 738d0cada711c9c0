// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// What processors can do, as systems tell it.
class CpuTest {
    @Test
    void shouldTellWhetherTheProcessorSaturates() {
        String with = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx2 avx512_vnni\n";

        assertThat(Cpu.of("amd64", with)).isEqualTo(new Cpu("Some CPU", Cpu.Bytes.VNNI));
        assertThat(Cpu.of("x86_64", with.replace("avx512_vnni", "avx_vnni")).bytes())
                .isEqualTo(Cpu.Bytes.VNNI);
        assertThat(Cpu.of("amd64", with.replace("avx512_vnni", "avx512f")).bytes())
                .isEqualTo(Cpu.Bytes.SATURATES);
        assertThat(Cpu.of("amd64", with.replace("avx512_vnni", "avx512_vnnia")).bytes())
                .isEqualTo(Cpu.Bytes.SATURATES);
        assertThat(Cpu.of("amd64", "")).isEqualTo(new Cpu("amd64", Cpu.Bytes.UNKNOWN));
        assertThat(Cpu.of("aarch64", "Features : asimddp\n")).isEqualTo(new Cpu("aarch64", Cpu.Bytes.EXACT));
        assertThat(Cpu.of("amd64", with.replace(" avx512_vnni", "")).describe()).contains("no VNNI", "saturate");
    }
}
