// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/// The `millrace` script in a checkout of its own, with a PATH that holds the tools it needs and stand-ins for the
/// rest.
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    private static final List<String> TOOLS = List.of("dirname", "find", "readlink", "sed", "touch");
    private static final Instant LONG_AGO = Instant.parse("2020-01-01T00:00:00Z");

    @TempDir
    Path temp;

    private Path root;
    private Path launcher;
    private Path bin;
    private Path jdks;
    private final Map<String, String> environment = new LinkedHashMap<>();

    private record Run(int exit, String out, String err) {}

    @BeforeEach
    void checkoutWithBuiltServer() throws Exception {
        temp = temp.toRealPath();
        root = Files.createDirectories(temp.resolve("check out"));
        bin = Files.createDirectories(temp.resolve("bin"));
        jdks = Files.createDirectories(temp.resolve("jdks"));
        launcher = Files.copy(findLauncher(), root.resolve("millrace"), StandardCopyOption.COPY_ATTRIBUTES);
        for (String tool : TOOLS) {
            script(bin.resolve(tool), "exec " + onPath(tool) + " \"$@\"");
        }
        sourceFile("pom.xml");
        for (String module : List.of("native", "models", "runtime", "server")) {
            sourceFile(module + "/pom.xml");
        }
        Files.createDirectories(root.resolve("server/target/lib"));
        Files.writeString(jar(), "");
        environment.put("PATH", bin.toString());
        environment.put("HOME", temp.toString());
        environment.put("MILLRACE_JDK_DIRS", jdks.toString());
        environment.put("MILLRACE_DRY_RUN", "1");
    }

    @Test
    void shouldPreferJavaHome() throws Exception {
        Path home = fakeJdk(temp.resolve("home"), "25.0.3");
        fakeJava(bin, "26");
        environment.put("JAVA_HOME", home.toString());

        assertThat(run("serve").out()).startsWith(home.resolve("bin/java") + " ");
    }

    @Test
    void shouldTakeJavaOnPathWhenJavaHomeIsTooOld() throws Exception {
        environment.put("JAVA_HOME", fakeJdk(temp.resolve("home"), "17.0.15").toString());
        fakeJava(bin, "25");
        fakeJdk(jdks.resolve("jdk-25"), "25");

        assertThat(run("serve").out()).startsWith(bin.resolve("java") + " ");
    }

    @Test
    void shouldLookWhereJdksAreInstalledWhenJavaOnPathIsTooOld() throws Exception {
        fakeJava(bin, "1.8.0_392");
        fakeJdk(jdks.resolve("a-jdk-21"), "21.0.1");
        Path wanted = fakeJdk(jdks.resolve("b-jdk-26"), "26-ea");

        assertThat(run("serve").out()).startsWith(wanted.resolve("bin/java") + " ");
    }

    @Test
    void shouldSayWhatToInstallWhenThereIsNoJava() throws Exception {
        Run run = run("serve");

        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("a JDK 25 or newer is needed").contains("openjdk-25-jdk");
    }

    @Test
    void shouldNameTheJavaItFoundWhenThatIsTooOld() throws Exception {
        Path old = fakeJava(bin, "17.0.15");

        assertThat(run("serve").err()).contains("Java 17 at " + old);
    }

    @Test
    void shouldRunMainWithOptionsAndArguments() throws Exception {
        Path java = fakeJava(bin, "25.0.3");
        environment.put("MILLRACE_OPTS", "-XX:+UseG1GC -Da=b");

        Run run = run("serve", "--port", "8000");

        assertThat(run.exit()).isZero();
        assertThat(run.out())
                .isEqualToIgnoringNewLines(java + " --enable-native-access=ALL-UNNAMED -Dmillrace.home=" + root
                        + " -XX:+UseG1GC -Da=b -cp "
                        + jar()
                        + " dev.millrace.cli.Main serve --port 8000");
    }

    @Test
    void shouldChooseASmallHeapUnlessACollectorIsChosen() throws Exception {
        var _ = fakeJava(bin, "25.0.3");
        environment.put("MILLRACE_OPTS", "-Xmx1g");

        assertThat(run("serve").out()).contains(" -XX:+UseSerialGC -Xmn").contains(" -Xmx1g ");

        environment.put("MILLRACE_OPTS", "-Xmx1g -XX:+UseParallelGC");

        assertThat(run("serve").out()).doesNotContain("SerialGC", "-Xmn").contains(" -Xmx1g -XX:+UseParallelGC ");
    }

    @Test
    void shouldHaveTheJvmWriteToTheWorkDirectoryOnly() throws Exception {
        fakeJava(bin, "25.0.3");
        script(bin.resolve("mkdir"), "exec " + onPath("mkdir") + " \"$@\"");
        environment.put("MILLRACE_OPTS", "-XX:+UseG1GC");
        for (List<String> option :
                List.of(List.of("--work-dir", temp + "/a b"), List.of("--work-dir=" + temp + "/c"))) {
            String folder = option.getLast().replace("--work-dir=", "");
            List<String> arguments = new ArrayList<>(List.of("serve"));
            arguments.addAll(option);

            Run run = run(arguments.toArray(String[]::new));

            assertThat(run.out())
                    .contains(" -Djava.io.tmpdir=" + folder + " -XX:ErrorFile=" + folder
                            + "/hs_err_pid%p.log -XX:+PerfDisableSharedMem -XX:+UseG1GC -cp ")
                    .endsWith(" serve " + String.join(" ", option) + "\n");
            assertThat(Path.of(folder)).isDirectory();
        }
    }

    @Test
    void shouldRunTheBenchOnItsOwnClassPath() throws Exception {
        fakeJava(bin, "25.0.3");
        sourceFile("bench/pom.xml");
        Path jar = root.resolve("bench/target/millrace-bench-1.0.jar");
        Files.createDirectories(root.resolve("bench/target/lib"));
        Files.writeString(jar, "");

        Run run = run("bench", "a model.onnx", "--quick");

        assertThat(run.err()).isEmpty();
        assertThat(run.out().strip())
                .endsWith(" -cp " + jar + ":" + root.resolve("bench/target/lib") + "/*"
                        + " dev.millrace.bench.BenchCommand a model.onnx --quick");
    }

    @Test
    void shouldBuildTheBenchWhenItIsMissing() throws Exception {
        fakeJava(bin, "25");
        sourceFile("bench/pom.xml");
        Path calls = temp.resolve("calls");
        Path made = root.resolve("bench/target/millrace-bench-1.0.jar");
        script(
                bin.resolve("mvn"),
                "echo \"$*\" >>'" + calls + "'; /bin/mkdir -p '" + made.getParent() + "/lib'; : >'" + made + "'");
        environment.remove("MILLRACE_DRY_RUN");

        assertThat(run("bench").err()).contains("building the bench");
        assertThat(run("bench").err()).doesNotContain("building");
        assertThat(calls).hasContent("-q -B -Dquick -DskipTests package -pl bench -am");
    }

    @Test
    void shouldHandOverArgumentsAsTheyAre() throws Exception {
        script(bin.resolve("java"), """
            if [ "$1" = -version ]; then echo 'openjdk version "25.0.3" 2026-04-21' >&2; exit; fi
            printf '<%s>' "$@"
            exit 3\
            """);
        environment.remove("MILLRACE_DRY_RUN");

        Run run = run("a b", "", "*");

        assertThat(run.exit()).isEqualTo(3);
        assertThat(run.out()).endsWith("<dev.millrace.cli.Main><a b><><*>");
    }

    @Test
    void shouldWorkThroughSymbolicLinksFromAnywhere() throws Exception {
        fakeJava(bin, "25");
        Path first = Files.createSymbolicLink(temp.resolve("first"), Path.of("check out/millrace"));
        launcher = Files.createSymbolicLink(temp.resolve("second"), first);

        assertThat(run("serve").out()).contains(" -cp " + jar());
    }

    @Test
    void shouldBuildWhenSourceIsNewer() throws Exception {
        fakeJava(bin, "25");
        Path calls = temp.resolve("calls");
        script(bin.resolve("mvn"), "echo \"$*\" >>'" + calls + "'");
        environment.remove("MILLRACE_DRY_RUN");
        Files.setLastModifiedTime(jar(), FileTime.from(LONG_AGO.minusSeconds(1)));

        Run first = run("serve");
        Run second = run("serve");

        assertThat(first.err()).contains("building the server");
        assertThat(second.err()).doesNotContain("building");
        assertThat(calls).hasContent("-q -B -Dquick -DskipTests package -pl server -am");
    }

    @Test
    void shouldNotMistakeSourcesForTheServer() throws Exception {
        fakeJava(bin, "25");
        Files.move(jar(), root.resolve("server/target/millrace-server-1.0-sources.jar"));

        assertThat(run("serve").err()).contains("would build");
    }

    @Test
    void shouldSayThatMavenIsMissingWhenItHasToBuild() throws Exception {
        fakeJava(bin, "25");
        environment.remove("MILLRACE_DRY_RUN");
        Files.delete(jar());

        Run run = run("serve");

        assertThat(run.exit()).isEqualTo(1);
        assertThat(run.err()).contains("no mvn on the PATH");
    }

    private Path jar() {
        return root.resolve("server/target/millrace-server-1.0.jar");
    }

    private void sourceFile(String name) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "");
        Files.setLastModifiedTime(file, FileTime.from(LONG_AGO));
    }

    private static Path fakeJdk(Path home, String version) throws IOException {
        fakeJava(Files.createDirectories(home.resolve("bin")), version);
        return home;
    }

    private static Path fakeJava(Path folder, String version) throws IOException {
        return script(folder.resolve("java"), "echo 'openjdk version \"" + version + "\" 2026-04-21' >&2");
    }

    private static Path script(Path file, String body) throws IOException {
        Files.writeString(file, "#!/bin/sh\n" + body + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Run run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("/bin/sh", launcher.toString()));
        command.addAll(Arrays.asList(arguments));
        Path out = temp.resolve("out");
        Path err = temp.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(Path.of("/").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        int exit = builder.start().waitFor();
        return new Run(exit, Files.readString(out), Files.readString(err));
    }

    private static Path findLauncher() {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            Path script = folder.resolve("millrace");
            if (Files.isRegularFile(script) && Files.exists(folder.resolve("server/pom.xml"))) {
                return script;
            }
        }
        throw new IllegalStateException(
                "no millrace script above " + Path.of("").toAbsolutePath());
    }

    private static Path onPath(String tool) {
        return Arrays.stream(System.getenv("PATH").split(":"))
                .map(folder -> Path.of(folder, tool))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(tool + " is not on the PATH"));
    }
}
