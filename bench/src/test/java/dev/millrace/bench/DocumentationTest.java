// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.classfile.ClassModel;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the Markdown files say about the sources is so: types and packages exist, links lead somewhere, Java compiles.
class DocumentationTest {
    private static final Path ROOT = Markdown.root();
    private static final CompiledClasses CLASSES = CompiledClasses.ofAllModules();

    /// A type, perhaps with a member: `Tensor`, `@Hot`, `Call.submit`, `Lane#turn(...)`, `ModelRepository.Entry`.
    private static final Pattern TYPE = Pattern.compile("@?([A-Z]\\w*[a-z]\\w*)(?:[.#](\\w+))?(?:\\(.*\\))?");

    private static final Pattern PACKAGE = Pattern.compile("dev\\.millrace(?:\\.[a-z]\\w*)+");

    /// Where the types of others that the texts name come from.
    private static final List<String> FOREIGN = List.of(
            "java.lang.",
            "java.lang.classfile.",
            "java.lang.foreign.",
            "java.lang.invoke.",
            "java.lang.management.",
            "java.nio.",
            "java.nio.file.",
            "java.time.",
            "java.util.",
            "java.util.concurrent.",
            "java.util.concurrent.atomic.",
            "java.util.concurrent.locks.",
            "java.util.function.",
            "ai.onnxruntime.",
            "com.lmax.disruptor.",
            "io.netty.buffer.",
            "io.netty.channel.",
            "org.slf4j.");

    /// Names of ONNX Runtime's C API and of ONNX operators that the texts use.
    private static final Set<String> NATIVE =
            Set.of("CreateEnv", "OrtApi", "OrtValue", "Run", "Loop", "Gather", "ZipMap", "SplitToSequence");

    @TempDir
    Path temp;

    @Test
    void shouldNameOnlyTypesThatExist() throws IOException {
        Path file = ROOT.resolve("ARCHITECTURE.md");
        assumeTrue(Files.exists(file), "there is no ARCHITECTURE.md");
        List<String> missing = new ArrayList<>();
        int checked = 0;
        for (String code : Markdown.read(file).code()) {
            Matcher type = TYPE.matcher(code);
            if (type.matches() && !isForeign(type.group(1)) && !NATIVE.contains(type.group(1))) {
                checked++;
                if (!exists(type.group(1), type.group(2))) {
                    missing.add(code);
                }
            }
        }
        assertThat(missing).as("named in ARCHITECTURE.md").isEmpty();
        assertThat(checked).as("types named in ARCHITECTURE.md").isGreaterThan(5);
    }

    private static boolean exists(String type, String member) {
        return CLASSES.all().stream().filter(model -> isCalled(model, type)).anyMatch(model -> {
            if (member == null) {
                return true;
            }
            boolean method =
                    model.methods().stream().anyMatch(m -> m.methodName().equalsString(member));
            boolean field = model.fields().stream().anyMatch(f -> f.fieldName().equalsString(member));
            String nested = model.thisClass().asInternalName() + "$" + member;
            return method || field || CLASSES.find(nested).isPresent();
        });
    }

    private static boolean isCalled(ClassModel model, String type) {
        String name = CompiledClasses.simpleName(model.thisClass().asInternalName());
        return name.equals(type) || name.endsWith("." + type);
    }

    private static boolean isForeign(String type) {
        return FOREIGN.stream().anyMatch(name -> {
            try {
                Class.forName(name + type, false, DocumentationTest.class.getClassLoader());
                return true;
            } catch (ClassNotFoundException | NoClassDefFoundError e) {
                return false;
            }
        });
    }

    @Test
    void shouldListThePackagesThatExist() throws IOException {
        Path file = ROOT.resolve("ARCHITECTURE.md");
        assumeTrue(Files.exists(file), "there is no ARCHITECTURE.md");
        TreeSet<String> existing = new TreeSet<>();
        for (ClassModel model : CLASSES.all()) {
            // dev.millrace.zoo stands for dev.millrace.zoo.payments
            String name = CompiledClasses.packageName(model.thisClass().asInternalName());
            existing.add(name.replaceAll("^(dev\\.millrace\\.\\w+)\\..*", "$1"));
        }
        TreeSet<String> named = new TreeSet<>();
        PACKAGE.matcher(Files.readString(file)).results().forEach(match -> named.add(match.group()));

        assertThat(existing).as("packages; ARCHITECTURE.md names %s", named).containsAll(named);
        assertThat(named).as("packages in ARCHITECTURE.md").containsAll(existing);
    }

    @Test
    void shouldLeadSomewhereWhenLinksAreFollowed() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Markdown markdown : Markdown.below(ROOT)) {
            for (String link : markdown.links()) {
                if (!link.matches("(https?|mailto):.*") && !leadsSomewhere(markdown, link)) {
                    broken.add(ROOT.relativize(markdown.file()) + ": " + link);
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    private static boolean leadsSomewhere(Markdown from, String link) throws IOException {
        String path = link.replaceAll("#.*", "");
        Path target =
                path.isEmpty() ? from.file() : from.file().resolveSibling(path).normalize();
        if (!Files.exists(target) || !link.contains("#") || !target.toString().endsWith(".md")) {
            return Files.exists(target);
        }
        return Markdown.read(target).anchors().contains(link.replaceAll(".*#", ""));
    }

    @Test
    void shouldCompileWhenTextsShowJava() throws IOException {
        List<String> problems = new ArrayList<>();
        int compiled = 0;
        for (Markdown markdown : javaTexts()) {
            for (Markdown.Block block : markdown.blocks()) {
                if (block.language().equals("java")) {
                    compiled++;
                    String where = ROOT.relativize(markdown.file()) + ", block at line " + block.line();
                    compile("Snippet" + compiled, block.text()).forEach(error -> problems.add(where + ": " + error));
                }
            }
        }
        assertThat(problems).isEmpty();
    }

    private static List<Markdown> javaTexts() throws IOException {
        List<Markdown> texts = new ArrayList<>(Markdown.below(ROOT.resolve("docs")));
        texts.add(Markdown.read(ROOT.resolve("README.md")));
        return texts;
    }

    @Test
    void shouldCompileWhenExamplesAreSources() throws IOException {
        try (Stream<Path> files = Files.walk(ROOT.resolve("docs"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                String name = file.getFileName().toString().replace(".java", "");
                assertThat(compile(name, Files.readString(file)))
                        .as(file.toString())
                        .isEmpty();
            }
        }
    }

    @Test
    void shouldFindWhatDoesNotCompile() {
        assertThat(compile("A", "int one = \"two\";\n")).hasSize(1);
        assertThat(compile("B", "Call call = model.call();\n")).hasSize(1);
        assertThat(compile("C", "import java.util.List;\nclass C { List<Sting> list; }\n"))
                .hasSize(1);
        assertThat(compile("D", "import java.util.List;\nclass Other { List<String> list; }\n"))
                .isEmpty();
        assertThat(compile("E", "record Pair(int a, int b) {}\n")).isEmpty();
        assertThat(compile("F", "try (Millrace millrace = Millrace.open(Path.of(\"models\"))) {}\n"))
                .isEmpty();
    }

    @Test
    void shouldReadMarkdown() throws IOException {
        Path file = Files.writeString(temp.resolve("a.md"), """
            # A `Title`, twice

            See [one](b.md#x), `not [this](c.md)` and [two](d.md "Two") `Tensor`.

            ```java
            [no](link.md) `Nothing`
            ```
            """);
        Markdown markdown = Markdown.read(file);

        assertThat(markdown.links()).containsExactly("b.md#x", "d.md");
        assertThat(markdown.code()).contains("Tensor").doesNotContain("Nothing");
        assertThat(markdown.anchors()).containsExactly("a-title-twice");
        assertThat(markdown.blocks()).containsExactly(new Markdown.Block("java", 6, "[no](link.md) `Nothing`\n"));
    }

    /// The errors in a file, or in statements that are put into a method first.
    private List<String> compile(String name, String text) {
        boolean whole =
                text.matches("(?s)(//[^\n]*\n|\\s)*(package|import|(public |final )*(class|record|interface|enum)) .*");
        String source = whole ? text : """
            import dev.millrace.memory.*;
            import dev.millrace.runtime.*;
            import java.nio.file.*;
            import java.time.*;
            import java.util.*;
            import java.util.concurrent.*;

            class %s {
                void snippet() throws Exception {
            %s
                }
            }
            """.formatted(name, text);
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        List<String> options =
                List.of("-proc:none", "-d", temp.toString(), "-cp", System.getProperty("java.class.path"));
        compiler.getTask(null, null, found, options, null, List.of(new Source(name, source)))
                .call();
        return found.getDiagnostics().stream()
                .filter(diagnostic -> diagnostic.getKind() == Diagnostic.Kind.ERROR)
                .map(diagnostic -> diagnostic.getMessage(null))
                .toList();
    }

    /// Java in a string. A public class may have any name: what it says is compiled, not where it lies.
    private static final class Source extends SimpleJavaFileObject {
        private final byte[] text;

        Source(String name, String text) {
            super(URI.create("string:///" + name + ".java"), Kind.SOURCE);
            this.text = text.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return new String(text, StandardCharsets.UTF_8);
        }

        @Override
        public boolean isNameCompatible(String simpleName, Kind kind) {
            return true;
        }
    }
}
