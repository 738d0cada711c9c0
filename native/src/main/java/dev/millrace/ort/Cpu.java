// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;

/// The processor, and what ONNX Runtime's products of bytes come to on it. Immutable.
///
/// On x86 without VNNI, unsigned bytes are multiplied by signed ones with an instruction that adds two products in
/// 16 bits and cuts off what is more: large weights give wrong sums, unless they leave a bit free.
///
/// @param name what it calls itself
/// @param bytes what it has for products of bytes
public record Cpu(String name, Bytes bytes) {
    /// What a processor has for products of bytes.
    public enum Bytes {
        /// Instructions that sum them up in 32 bits.
        VNNI,
        /// None, and x86's others cut off sums of unsigned by signed bytes at 16 bits.
        SATURATES,
        /// It is no x86, whose others are exact.
        EXACT,
        /// The system does not tell.
        UNKNOWN
    }

    private static final Set<String> X86 = Set.of("amd64", "x86_64", "x86", "i386");
    private static final Set<String> VNNI = Set.of("avx512_vnni", "avx_vnni");

    /// The processor of this machine.
    public static Cpu here() {
        String cpuinfo;
        try {
            cpuinfo = Files.readString(Path.of("/proc/cpuinfo"));
        } catch (IOException _) {
            cpuinfo = "";
        }
        return of(System.getProperty("os.arch", ""), cpuinfo);
    }

    /// @param architecture as `os.arch` has it
    /// @param cpuinfo what Linux says of the processor; empty elsewhere
    static Cpu of(String architecture, String cpuinfo) {
        String name = value(cpuinfo, "model name");
        String flags = value(cpuinfo, "flags");
        Bytes bytes;
        if (!X86.contains(architecture.toLowerCase(Locale.ROOT))) {
            bytes = Bytes.EXACT;
        } else if (flags.isEmpty()) {
            bytes = Bytes.UNKNOWN;
        } else {
            boolean vnni = Arrays.stream(flags.split("\\s+")).anyMatch(VNNI::contains);
            bytes = vnni ? Bytes.VNNI : Bytes.SATURATES;
        }
        return new Cpu(name.isEmpty() ? architecture : name, bytes);
    }

    private static String value(String cpuinfo, String key) {
        return cpuinfo.lines()
                .filter(line -> line.startsWith(key) && line.contains(":"))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("");
    }

    /// What that means for int8 models, in words.
    public String describe() {
        return switch (bytes) {
            case VNNI -> "has VNNI: products of bytes are summed up exactly";
            case SATURATES ->
                "has no VNNI: unsigned by signed bytes saturate at 16 bits, so that int8 models may answer otherwise"
                        + " here unless they were quantized with a reduced range, and are slower";
            case EXACT -> "sums up products of bytes exactly";
            case UNKNOWN -> "does not tell whether it has VNNI; without, int8 models may answer otherwise";
        };
    }
}
