// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureTemplate;
import dev.millrace.spec.FeatureTemplate.Gap;
import dev.millrace.yaml.Yaml;
import dev.millrace.yaml.YamlNode.Scalar;
import dev.millrace.yaml.YamlNode.Sequence;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// A specification that was learned, as files: the same bytes for the same template and rows.
///
/// Threads: any; it does not change.
public final class FittedFiles {
    private final Map<String, byte[]> contents = new TreeMap<>();
    private final byte[] specification;

    FittedFiles(FeatureTemplate template, List<String> learned) {
        Map<String, StringBuilder> states = new HashMap<>();
        contents.putAll(template.files());
        for (int i = 0; i < learned.size(); i++) {
            Gap gap = template.gaps().get(i);
            if (gap.key() == null) {
                contents.put(gap.file(), utf8(list(gap, learned.get(i))));
            } else {
                StringBuilder state = states.computeIfAbsent(gap.file(), _ -> new StringBuilder());
                state.append(state.isEmpty() ? "{\n" : ",\n")
                        .append("  \"")
                        .append(gap.key())
                        .append("\": ")
                        .append(learned.get(i));
            }
        }
        states.forEach((name, state) -> contents.put(name, utf8(state + "\n}\n")));
        Map<String, String> hashes = new HashMap<>();
        contents.forEach((name, bytes) -> hashes.put(name, sha256(bytes)));
        specification = utf8(template.filled(hashes));
    }

    /// Checks that each gap has a place of its own.
    ///
    /// @throws IllegalArgumentException if it has not
    static void check(FeatureTemplate template) {
        Set<String> lists = new HashSet<>(template.files().keySet());
        Set<String> states = new HashSet<>();
        Set<String> keys = new HashSet<>();
        for (Gap gap : template.gaps()) {
            boolean isNew = gap.key() == null
                    ? !states.contains(gap.file()) && lists.add(gap.file())
                    : !lists.contains(gap.file()) && keys.add(gap.file() + "\n" + gap.key());
            if (!isNew) {
                throw new IllegalArgumentException(template.file() + ":" + gap.line() + ":" + gap.column() + ": "
                        + gap.place() + ": 'file:" + gap.file() + "' came before, expected another file"
                        + (gap.key() == null ? "" : ", or a state_key of its own"));
            }
            if (gap.key() != null) {
                states.add(gap.file());
                if (!gap.key().matches("[^\"\\\\\\p{Cc}]+")) {
                    throw new IllegalArgumentException(
                            gap.place() + ".state_key: '" + gap.key() + "' came, expected it without quotes");
                }
            }
        }
    }

    /// A list as its file has it: JSON, or lines.
    private static String list(Gap gap, String json) {
        if (gap.file().endsWith(".json")) {
            return json + "\n";
        }
        StringBuilder lines = new StringBuilder();
        ((Sequence) Yaml.parseValue(json)).items().forEach(item -> {
            String text = ((Scalar) item).text();
            if (text.indexOf('\n') >= 0 || text.endsWith("\r")) {
                throw new IllegalArgumentException(gap.place() + ": a category with a line break came, expected a"
                        + " file that ends in .json for it, '" + gap.file() + "' has one in each line");
            }
            lines.append(text).append('\n');
        });
        return lines.toString();
    }

    /// Writes all of them into a folder that is there; the specification, as `features.yaml`, last.
    /// Files of these names are replaced.
    ///
    /// @return the specification as it is read from there
    public FeatureSpec write(Path folder) throws IOException {
        for (Map.Entry<String, byte[]> each : contents.entrySet()) {
            Path file = folder.resolve(each.getKey());
            Files.createDirectories(file.toAbsolutePath().getParent());
            write(file, each.getValue());
        }
        write(folder.resolve(FeatureSpec.FILE_NAME), specification);
        return FeatureSpec.read(folder.resolve(FeatureSpec.FILE_NAME));
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        Path part = file.resolveSibling(file.getFileName() + ".partial");
        try {
            Files.write(part, bytes);
            Files.move(part, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
