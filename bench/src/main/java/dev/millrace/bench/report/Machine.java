// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.report;

import dev.millrace.ort.OrtRuntime;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Where and with what the figures are taken.
public final class Machine {
    private Machine() {}

    /// Names and values in the order in which they are shown.
    ///
    /// @param revision of the sources; null where that does not matter
    public static Map<String, String> describe(String revision) {
        Map<String, String> facts = new LinkedHashMap<>();
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        facts.put("CPU", firstValue(Path.of("/proc/cpuinfo"), "model name", System.getProperty("os.arch")));
        facts.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
        facts.put("memory", (system.getTotalMemorySize() >> 20) + " MiB");
        facts.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("load average at the start", "%.2f".formatted(system.getSystemLoadAverage()));
        facts.put("JVM", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        facts.put("JVM flags", String.join(" ", flags()));
        facts.put("ONNX Runtime", OrtRuntime.version());
        if (revision != null) {
            facts.put("commit", revision);
        }
        return facts;
    }

    private static List<String> flags() {
        // What the benches tell each other is no flag.
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.startsWith("-Dmillrace.bench."))
                .toList();
    }

    /// The value of the first line `key : value`; `otherwise` where there is no such file or line.
    public static String firstValue(Path file, String key, String otherwise) {
        if (!Files.isReadable(file)) {
            return otherwise;
        }
        try (var lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(key))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse(otherwise);
        } catch (IOException _) {
            return otherwise;
        }
    }
}
