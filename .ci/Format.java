// SPDX-License-Identifier: Apache-2.0

import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Formats the project's Java sources, or checks that they are formatted: `java Format.java check|apply FOLDER...`.
///
/// It runs on the toolchain's JDK rather than inside Maven, because the formatter parses with the compiler of the JVM
/// that it runs in, and Maven may run on an older one. Every file starts with [#HEADER]; `apply` adds it where it is
/// missing. Folders named `target` are left alone.
final class Format {
    private static final String HEADER = "// SPDX-License-Identifier: Apache-2.0\n";

    private static final int WIDTH = 120;
    /// A line of a Markdown paragraph: no list item, heading, table, fence, tag or indented code.
    private static final Pattern PROSE = Pattern.compile("( *///\\s)([^-*+#|`@>\\s\\d].*|`[^`].*)");

    private final Formatter formatter = Formatter.createFormatter(JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .build());
    private final boolean apply;
    private final ConcurrentLinkedQueue<String> complaints = new ConcurrentLinkedQueue<>();

    private Format(boolean apply) {
        this.apply = apply;
    }

    public static void main(String[] args) throws IOException {
        if (args.length < 2 || !List.of("check", "apply").contains(args[0])) {
            System.err.println("usage: java Format.java check|apply FOLDER...");
            System.exit(2);
        }
        Format format = new Format(args[0].equals("apply"));
        for (String folder : List.of(args).subList(1, args.length)) {
            format.visit(Path.of(folder));
        }
        if (!format.complaints.isEmpty()) {
            format.complaints.stream().sorted().forEach(System.err::println);
            System.err.println("To fix what can be fixed: mvn -N verify -Dformat=apply");
            System.exit(1);
        }
    }

    private void visit(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files
                    .filter(file -> file.toString().endsWith(".java")
                            && !file.toString().contains("target/"))
                    .toList()
                    .parallelStream()
                    .forEach(this::format);
        }
    }

    /// Moves the words that stick out of a line of Markdown prose to the start of the next line of the same paragraph,
    /// or to a line of their own at its end; the formatter would leave them there without the comment's slashes.
    private static String wrapProse(String source) {
        List<String> lines = new ArrayList<>(List.of(source.split("\n", -1)));
        boolean fenced = false;
        for (int i = 0; i + 1 < lines.size(); i++) {
            fenced ^= lines.get(i).strip().startsWith("/// ```");
            Matcher line = PROSE.matcher(lines.get(i));
            if (fenced || lines.get(i).length() <= WIDTH || !line.matches()) {
                continue;
            }
            int cut = lines.get(i).lastIndexOf(' ', WIDTH);
            if (cut <= line.start(2)) {
                continue;
            }
            String rest = line.group(1) + lines.get(i).substring(cut + 1);
            Matcher next = PROSE.matcher(lines.get(i + 1));
            if (next.matches() && line.group(1).equals(next.group(1))) {
                lines.set(i + 1, rest + " " + next.group(2));
            } else {
                lines.add(i + 1, rest);
            }
            lines.set(i, lines.get(i).substring(0, cut));
        }
        return String.join("\n", lines);
    }

    private void format(Path file) {
        try {
            String before = Files.readString(file);
            String headed = before.startsWith(HEADER) ? before : HEADER + before;
            String after = formatter.formatSourceAndFixImports(wrapProse(headed));
            if (before.equals(after)) {
                return;
            }
            if (apply) {
                Files.writeString(file, after);
            } else {
                complaints.add(file + ": " + (before.startsWith(HEADER) ? "not formatted" : "no licence header"));
            }
        } catch (FormatterException e) {
            complaints.add(file + ": the formatter cannot parse it: " + e.getMessage());
        } catch (IOException e) {
            complaints.add(file + ": " + e);
        }
    }
}
