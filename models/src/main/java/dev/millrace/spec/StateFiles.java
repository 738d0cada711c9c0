// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import dev.millrace.spec.Problems.Place;
import dev.millrace.yaml.Yaml;
import dev.millrace.yaml.YamlException;
import dev.millrace.yaml.YamlNode;
import dev.millrace.yaml.YamlNode.Scalar;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The files beside a specification that have what was learned from data, as
/// `file:NAME@sha256:HEX`. Each is read once, lies in the specification's folder, and is what its
/// hash says.
///
/// Threads: one.
final class StateFiles {
    private static final Pattern REFERENCE = Pattern.compile("file:(.+)@sha256:([0-9a-f]{64})");
    private static final long MAX_BYTES = 1L << 28;

    private final Path folder;
    private final Problems problems;
    private final Map<String, byte[]> read = new HashMap<>();
    /// The hashes of all that was read, by name.
    private final TreeMap<String, String> hashes = new TreeMap<>();

    private final Map<String, YamlNode> parsed = new HashMap<>();
    /// What the gaps are filled with; null where there may be none.
    private final List<String> learned;

    private final List<FeatureTemplate.Gap> gaps;

    StateFiles(Path folder, Problems problems) {
        this(folder, problems, null, null);
    }

    /// @param learned for each reference without a hash what it is, in JSON; null, or none, where that is not known
    ///     yet; null where each has to have a hash
    /// @param gaps where those without a hash are added, in their order
    StateFiles(Path folder, Problems problems, List<String> learned, List<FeatureTemplate.Gap> gaps) {
        this.folder = folder;
        this.problems = problems;
        this.learned = learned;
        this.gaps = gaps;
    }

    /// Whether a value is a reference without a hash, where there may be such.
    boolean isGap(Place place) {
        return learned != null
                && isReference(place.node())
                && !((Scalar) place.node()).text().contains("@");
    }

    /// What stands where a gap is: what was learned, or the placeholder.
    Place gap(Place place, FeatureTemplate.Gap gap, String placeholder) {
        if (!gap.file().matches("[^/\\\\]+") || gap.file().equals(FeatureSpec.FILE_NAME)) {
            problems.add(place, "'" + gap.file() + "' came, expected the name of a file in the folder");
        }
        String json = gaps.size() < learned.size() ? learned.get(gaps.size()) : null;
        gaps.add(gap);
        return new Place(gap.file(), place.path(), Yaml.parseValue(json == null ? placeholder : json));
    }

    /// What was read, by name.
    Map<String, byte[]> contents() {
        Map<String, byte[]> contents = new HashMap<>(read);
        contents.keySet().retainAll(hashes.keySet());
        return contents;
    }

    /// Whether a value is meant to name a file.
    static boolean isReference(YamlNode node) {
        return node instanceof Scalar scalar && scalar.text().startsWith("file:");
    }

    /// The name of the file that a value refers to.
    private static String name(YamlNode node) {
        Matcher reference = REFERENCE.matcher(((Scalar) node).text());
        return reference.matches() ? reference.group(1) : "";
    }

    /// The bytes of the file that a value refers to, or null, which is noted.
    byte[] bytes(Place place) {
        Matcher reference = REFERENCE.matcher(((Scalar) place.node()).text());
        if (!reference.matches()) {
            problems.add(
                    place,
                    Values.shown(place.node()) + " came, expected file:NAME@sha256:HEX with 64 digits in lower case"
                            + (learned == null ? "; 'millrace features fit' learns what is without a hash" : ""));
            return null;
        }
        String name = reference.group(1);
        byte[] bytes = read.containsKey(name) ? read.get(name) : load(place, name);
        read.put(name, bytes);
        if (bytes == null) {
            return null;
        }
        String hash = sha256(bytes);
        if (!hash.equals(reference.group(2))) {
            problems.add(place, "sha256 " + hash + " came of '" + name + "', expected " + reference.group(2));
            return null;
        }
        hashes.put(name, hash);
        return bytes;
    }

    private byte[] load(Place place, String name) {
        try {
            Path root = folder.toRealPath();
            Path file = root.resolve(name).normalize();
            if (!file.startsWith(root) || file.equals(root)) {
                problems.add(place, "'" + name + "' came, expected a file in the folder of " + FeatureSpec.FILE_NAME);
                return null;
            }
            if (!Files.isRegularFile(file)) {
                problems.add(place, "'" + name + "' came, which is no file, expected one");
                return null;
            }
            if (!file.toRealPath().startsWith(root)) {
                problems.add(place, "'" + name + "' came, which leads out of the folder, expected a file in it");
                return null;
            }
            if (Files.size(file) > MAX_BYTES) {
                problems.add(
                        place,
                        "'" + name + "' came with " + Files.size(file) + " bytes, expected " + MAX_BYTES + " at most");
                return null;
            }
            return Files.readAllBytes(file);
        } catch (IOException | InvalidPathException e) {
            problems.add(place, "'" + name + "' came, which cannot be read, expected a file in the folder");
            return null;
        }
    }

    private String text(Place place) {
        byte[] bytes = bytes(place);
        try {
            return bytes == null ? null : decode(bytes);
        } catch (CharacterCodingException e) {
            problems.add(place, "'" + name(place.node()) + "' came, expected a text in UTF-8");
            return null;
        }
    }

    /// Bytes as a text.
    ///
    /// @throws CharacterCodingException if they are no UTF-8
    static String decode(byte[] bytes) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
    }

    /// What a file of JSON says, or null, which is noted.
    Place json(Place place) {
        String text = text(place);
        if (text == null) {
            return null;
        }
        String name = name(place.node());
        try {
            YamlNode node = parsed.computeIfAbsent(name, _ -> Yaml.parseValue(text));
            return new Place(name, place.path(), node);
        } catch (YamlException e) {
            problems.add(name, e);
            return null;
        }
    }

    /// The values of a list: those of a file of JSON, or the lines of any other; null, which is
    /// noted, if there are none.
    Place list(Place place) {
        if (!isReference(place.node()) || name(place.node()).endsWith(".json")) {
            return isReference(place.node()) ? json(place) : place;
        }
        String text = text(place);
        if (text == null) {
            return null;
        }
        String[] lines = text.split("\r?\n", -1);
        List<YamlNode> items = new ArrayList<>();
        for (int i = 0; i < lines.length - (lines[lines.length - 1].isEmpty() ? 1 : 0); i++) {
            items.add(new Scalar(lines[i], false, i + 1, 1));
        }
        return new Place(name(place.node()), place.path(), new YamlNode.Sequence(items, 1, 1));
    }

    /// The digest of a specification and of the files that were read.
    String digest(byte[] specification) {
        String own = sha256(specification);
        if (hashes.isEmpty()) {
            return own;
        }
        StringBuilder lines = new StringBuilder(own + "  " + FeatureSpec.FILE_NAME + "\n");
        hashes.forEach(
                (name, hash) -> lines.append(hash).append("  ").append(name).append('\n'));
        return sha256(lines.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
