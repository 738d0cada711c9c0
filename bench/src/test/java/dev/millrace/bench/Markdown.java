// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A Markdown file of the project: its prose, its links, its blocks of code.
///
/// @param file where it is
/// @param lines its lines
record Markdown(Path file, List<String> lines) {
    private static final Pattern FENCE = Pattern.compile("\\s*(?:```|~~~)\\s*(\\w*).*");
    private static final Pattern LINK = Pattern.compile("\\[[^]]*]\\(([^)\\s]+)(?:\\s+\"[^\"]*\")?\\)");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern HEADING = Pattern.compile("#{1,6}\\s+(.*)");

    /// A block of code.
    ///
    /// @param language what stands behind the fence
    /// @param line the number of its first line
    record Block(String language, int line, String text) {}

    static Markdown read(Path file) throws IOException {
        return new Markdown(file, Files.readAllLines(file));
    }

    /// The folder of the whole project.
    static Path root() {
        return Stream.iterate(Path.of("").toAbsolutePath(), folder -> folder != null, Path::getParent)
                .filter(folder -> Files.isRegularFile(folder.resolve("runtime/pom.xml")))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "no project above " + Path.of("").toAbsolutePath()));
    }

    /// Every Markdown file below `folder` that is not built or hidden.
    static List<Markdown> below(Path folder) throws IOException {
        List<Markdown> found = new ArrayList<>();
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path visited, BasicFileAttributes attributes) {
                String name = visited.getFileName().toString();
                boolean skipped = !visited.equals(folder) && (name.startsWith(".") || name.equals("target"));
                return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (file.toString().endsWith(".md")) {
                    found.add(read(file));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }

    List<Block> blocks() {
        List<Block> blocks = new ArrayList<>();
        String language = null;
        int start = 0;
        for (int i = 0; i < lines.size(); i++) {
            Matcher fence = FENCE.matcher(lines.get(i));
            if (!fence.matches()) {
                continue;
            }
            if (language == null) {
                language = fence.group(1);
                start = i + 1;
            } else {
                blocks.add(new Block(language, start + 1, String.join("\n", lines.subList(start, i)) + "\n"));
                language = null;
            }
        }
        return blocks;
    }

    /// The lines outside blocks of code.
    private List<String> prose() {
        List<String> prose = new ArrayList<>();
        boolean inside = false;
        for (String line : lines) {
            if (FENCE.matcher(line).matches()) {
                inside = !inside;
            } else if (!inside && !line.startsWith("    ")) {
                prose.add(line);
            }
        }
        return prose;
    }

    /// What stands in backticks in the prose.
    List<String> code() {
        return prose().stream()
                .flatMap(line -> CODE.matcher(line).results().map(match -> match.group(1)))
                .toList();
    }

    /// Where links lead.
    List<String> links() {
        return prose().stream()
                .map(line -> CODE.matcher(line).replaceAll(""))
                .flatMap(line -> LINK.matcher(line).results().map(match -> match.group(1)))
                .toList();
    }

    /// The anchors of its headings, as GitHub makes them.
    List<String> anchors() {
        return prose().stream()
                .map(HEADING::matcher)
                .filter(Matcher::matches)
                .map(match -> match.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .strip()
                        .replace(' ', '-'))
                .toList();
    }
}
