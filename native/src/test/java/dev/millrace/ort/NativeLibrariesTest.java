// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millrace.memory.NoLeaks;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
class NativeLibrariesTest {
    private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));

    @TempDir
    Path temp;

    private Path cache;
    private byte[] bytes;
    private URL source;

    @BeforeEach
    void sourceFile() throws IOException {
        cache = temp.resolve("cache/onnxruntime-1.2.3");
        bytes = new byte[3_000_000];
        new SplittableRandom(1).nextBytes(bytes);
        source = Files.write(temp.resolve("libsource.so"), bytes).toUri().toURL();
    }

    @Test
    void shouldMakeTheFolderAndLeaveOnlyTheLibrary() throws IOException {
        NativeLibraries.extract(source, cache.resolve("lib.so"));

        assertThat(cache.resolve("lib.so")).hasBinaryContent(bytes);
        assertThat(files(cache)).containsExactly("lib.so");
    }

    @Test
    void shouldLeaveAWholeFileAlone() throws IOException {
        Path target = cache.resolve("lib.so");
        NativeLibraries.extract(source, target);
        Files.setLastModifiedTime(target, LONG_AGO);

        NativeLibraries.extract(source, target);

        assertThat(Files.getLastModifiedTime(target)).isEqualTo(LONG_AGO);
    }

    @Test
    void shouldReplaceATruncatedFile() throws IOException {
        Path target = cache.resolve("lib.so");
        Files.createDirectories(cache);
        Files.write(target, java.util.Arrays.copyOf(bytes, 1000));

        NativeLibraries.extract(source, target);

        assertThat(target).hasBinaryContent(bytes);
        assertThat(files(cache)).containsExactly("lib.so");
    }

    @Test
    void shouldLeaveNothingBehindWhenItFails() throws IOException {
        URL missing = temp.resolve("missing.so").toUri().toURL();
        assertThatThrownBy(() -> NativeLibraries.extract(missing, cache.resolve("lib.so")))
                .isInstanceOf(IOException.class);
        assertThat(files(temp)).containsExactly("libsource.so");

        Path occupied = Files.createDirectories(cache.resolve("lib.so/folder")).getParent();
        assertThatThrownBy(() -> NativeLibraries.extract(source, occupied)).isInstanceOf(IOException.class);
        assertThat(files(cache)).containsExactly("lib.so");
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // nobody can take away there what is being written
    void shouldExtractAgainWhenItsCopyIsTakenAway() throws IOException {
        Path target = cache.resolve("lib.so");
        AtomicInteger thieves = new AtomicInteger(2);

        NativeLibraries.extract(stolen(thieves), target);

        assertThat(target).hasBinaryContent(bytes);
        assertThat(files(cache)).containsExactly("lib.so");
        assertThat(thieves).hasValue(0);
        Files.delete(target);
        thieves.set(3);
        assertThatThrownBy(() -> NativeLibraries.extract(stolen(thieves), target))
                .isInstanceOf(NoSuchFileException.class);
        assertThat(files(cache)).isEmpty();
    }

    /// The library, whose copy goes away before it is renamed, so many times.
    private URL stolen(AtomicInteger times) throws MalformedURLException {
        return URL.of(URI.create("test:library"), new URLStreamHandler() {
            @Override
            protected URLConnection openConnection(URL url) {
                return new URLConnection(url) {
                    @Override
                    public void connect() {}

                    @Override
                    public long getContentLengthLong() {
                        return bytes.length;
                    }

                    @Override
                    public InputStream getInputStream() {
                        return new ByteArrayInputStream(bytes) {
                            @Override
                            public void close() throws IOException {
                                if (times.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                                    for (String file : files(cache)) {
                                        Files.delete(cache.resolve(file));
                                    }
                                }
                            }
                        };
                    }
                };
            }
        });
    }

    @Test
    void shouldGiveAWholeFileToEveryoneWhenManyExtractAtOnce() throws Exception {
        int count = 8;
        CyclicBarrier start = new CyclicBarrier(count);
        Path target = cache.resolve("lib.so");
        try (ExecutorService threads = Executors.newFixedThreadPool(count)) {
            List<Future<byte[]>> seen = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                seen.add(threads.submit(() -> {
                    start.await();
                    NativeLibraries.extract(source, target);
                    return Files.readAllBytes(target);
                }));
            }
            for (Future<byte[]> one : seen) {
                assertThat(one.get()).isEqualTo(bytes);
            }
        }
        assertThat(files(cache)).containsExactly("lib.so");
    }

    @Test
    void shouldLoadFromTheVersionedCacheAndMendIt() throws Exception {
        String libraries = System.mapLibraryName("onnxruntime");
        Path folder = temp.resolve("own").resolve("onnxruntime-" + OrtRuntime.version() + "-" + platform());
        Files.createDirectories(folder);
        Files.write(folder.resolve(libraries), new byte[100]);

        List<String> out = loadWith("-Dmillrace.cache=" + temp.resolve("own"));

        assertThat(out).containsExactly("loaded " + OrtRuntime.version() + " from " + folder);
        assertThat(files(folder)).containsExactlyInAnyOrder(libraries, System.mapLibraryName("onnxruntime4j_jni"));
        assertThat(Files.size(folder.resolve(libraries))).isGreaterThan(1_000_000);
    }

    @Test
    void shouldLoadWithoutCacheWhenItsFolderCannotBeMade() throws Exception {
        Path file = Files.writeString(temp.resolve("file"), "not a folder");

        assertThat(loadWith("-Dmillrace.cache=" + file))
                .containsExactly("loaded " + OrtRuntime.version() + " from null");
        assertThat(file).hasContent("not a folder");
    }

    /// What the tests above run in a JVM of its own: loads a model and says from where the libraries came.
    static final class Loader {
        private Loader() {}

        public static void main(String[] arguments) {
            try (OnnxSession session = OnnxSession.open(Path.of(arguments[0]), SessionSettings.DEFAULT)) {
                String from = System.getProperty(NativeLibraries.PATH_PROPERTY);
                System.out.println("loaded " + OrtRuntime.version() + " from " + from);
                if (session.binding() != OrtRuntime.Binding.NATIVE) {
                    System.out.println("but not by the C API");
                }
            }
        }
    }

    private List<String> loadWith(String property) throws IOException, InterruptedException {
        Path out = temp.resolve("out");
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Djava.io.tmpdir=" + temp,
                        property,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Loader.class.getName(),
                        TestModels.file("mlp").toString())
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.waitFor()).isZero();
        return Files.readAllLines(out);
    }

    private static String platform() {
        Path folder = Path.of(System.getProperty(NativeLibraries.PATH_PROPERTY));
        return folder.getFileName().toString().replaceFirst("onnxruntime-[^-]+-", "");
    }

    private static List<String> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> !file.endsWith("cache"))
                    .map(file -> file.getFileName().toString())
                    .toList();
        }
    }
}
