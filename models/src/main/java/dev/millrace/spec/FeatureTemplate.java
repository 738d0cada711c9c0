// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// A specification that lacks what is to be learned from data: some of its references to files have
/// no hash yet, `file:NAME` instead of `file:NAME@sha256:HEX`. Each of these is a gap.
///
/// Threads: any; it does not change.
public final class FeatureTemplate {
    private final Path file;
    private final String text;
    private final List<Gap> gaps;

    /// What a transform has to be told.
    ///
    /// @param feature the feature's name
    /// @param transform which of its transforms, from 0
    /// @param operator the transform's name
    /// @param file the file that is to have it
    /// @param key its name in a file of state; null where the file is a list
    /// @param ddof for `standardize`: what is taken from the count to divide by
    /// @param ends for `bucketize`: whether the boundaries have the least and the greatest value
    public record Gap(
            String feature,
            int transform,
            String operator,
            String file,
            String key,
            FitOptions options,
            int ddof,
            boolean ends,
            int line,
            int column) {
        /// Where it is, for messages.
        public String place() {
            return "features." + feature + ".transform[" + transform + "]." + operator;
        }
    }

    private FeatureTemplate(Path file, String text, List<Gap> gaps) {
        this.file = file;
        this.text = text;
        this.gaps = gaps;
    }

    /// Reads a file.
    ///
    /// @throws FeatureSpecException if anything but the gaps is wrong, with all that was found
    public static FeatureTemplate read(Path file) throws IOException {
        String text = Files.readString(file);
        List<Gap> gaps = new ArrayList<>();
        SpecReader.parse(text, file.toAbsolutePath().getParent(), List.of(), gaps, new HashMap<>());
        return new FeatureTemplate(file, text, List.copyOf(gaps));
    }

    /// Its gaps in the order of the file.
    public List<Gap> gaps() {
        return gaps;
    }

    /// The file.
    public Path file() {
        return file;
    }

    /// The specification with what was learned so far.
    ///
    /// @param learned for each gap what it is in JSON, an object of parameters or a list; something
    ///     harmless is put where it is null
    /// @throws FeatureSpecException if what was learned is not what the specification takes
    public FeatureSpec spec(List<String> learned) {
        return SpecReader.parse(text, file.toAbsolutePath().getParent(), learned, new ArrayList<>(), new HashMap<>());
    }

    /// The files with a hash that it names, and what they have.
    public Map<String, byte[]> files() {
        Map<String, byte[]> files = new TreeMap<>();
        SpecReader.parse(text, file.toAbsolutePath().getParent(), List.of(), new ArrayList<>(), files);
        return files;
    }

    /// The text with a hash at each gap, and otherwise as it is.
    ///
    /// @param hashes the SHA-256 of each gap's file by its name, in lower-case hexadecimal
    public String filled(Map<String, String> hashes) {
        List<String> lines = new ArrayList<>(List.of(text.split("\n", -1)));
        List<Gap> last = new ArrayList<>(gaps);
        last.sort(Comparator.comparing(Gap::line).thenComparing(Gap::column).reversed());
        for (Gap gap : last) {
            String line = lines.get(gap.line() - 1);
            String reference = "file:" + gap.file();
            int start = line.indexOf(reference, gap.column() - 1);
            if (start < 0) {
                throw new IllegalArgumentException(file + ": line " + gap.line() + ": '" + reference
                        + "' cannot be found as it is, expected it without escapes");
            }
            int end = start + reference.length();
            lines.set(
                    gap.line() - 1, line.substring(0, end) + "@sha256:" + hashes.get(gap.file()) + line.substring(end));
        }
        return String.join("\n", lines);
    }
}
