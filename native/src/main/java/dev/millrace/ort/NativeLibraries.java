// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Extracts ONNX Runtime's shared libraries once into a versioned cache folder.
///
/// ONNX Runtime's own loader extracts 28 MB into a new temporary folder at every start, and leaves it there when the
/// process is killed. The cache is `$XDG_CACHE_HOME/millrace` or `~/.cache/millrace`, or what the system property
/// `millrace.cache` names; a folder that the user gave by ONNX Runtime's own `onnxruntime.native.path` is left alone.
final class NativeLibraries {
    static final String PATH_PROPERTY = "onnxruntime.native.path";

    private static final Logger LOG = LoggerFactory.getLogger(NativeLibraries.class);
    private static final String RESOURCES = "/ai/onnxruntime/native/";

    /// How often another process may take a copy away.
    private static final int MAX_RETRIES = 2;

    private NativeLibraries() {}

    /// Makes ONNX Runtime's Java API load from the cache. Does nothing where the property is set or no library for this
    /// platform is on the class path: then ONNX Runtime's own loader decides and reports.
    static void prepare() {
        if (System.getProperty(PATH_PROPERTY) != null) {
            return;
        }
        try {
            Path folder = cacheFolder().resolve("onnxruntime-" + version() + "-" + platform());
            for (String library : List.of("onnxruntime", "onnxruntime4j_jni")) {
                String file = System.mapLibraryName(library);
                URL source = NativeLibraries.class.getResource(RESOURCES + platform() + "/" + file);
                if (source == null) {
                    return;
                }
                extract(source, folder.resolve(file));
            }
            System.setProperty(PATH_PROPERTY, folder.toString());
        } catch (IOException | UncheckedIOException e) {
            LOG.warn("cannot keep ONNX Runtime's libraries in a cache, a temporary folder is used instead: {}", e, e);
        }
    }

    /// Copies `source` to `target` unless a file of the same size is there. The copy appears whole or not at all, also
    /// when several processes start at once, and when another takes what is being written for abandoned.
    static void extract(URL source, Path target) throws IOException {
        for (int retries = MAX_RETRIES; ; retries--) {
            try {
                extractOnce(source, target);
                return;
            } catch (NoSuchFileException e) {
                if (retries == 0) {
                    throw e;
                }
                LOG.debug("{} is extracted again: {}", target, e.toString());
            }
        }
    }

    private static void extractOnce(URL source, Path target) throws IOException {
        long size = source.openConnection().getContentLengthLong();
        if (Files.isRegularFile(target) && Files.size(target) == size) {
            return;
        }
        Files.createDirectories(target.getParent());
        PartialFiles.removeAbandoned(target.getParent());
        Path partial =
                PartialFiles.create(target.getParent(), target.getFileName().toString());
        try {
            try (InputStream in = source.openStream()) {
                Files.copy(in, partial, StandardCopyOption.REPLACE_EXISTING);
            }
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            PartialFiles.delete(partial);
        }
    }

    private static Path cacheFolder() {
        String own = System.getProperty("millrace.cache");
        if (own != null) {
            return Path.of(own);
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = xdg == null || xdg.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return base.resolve("millrace");
    }

    /// The version of the ONNX Runtime jar, from its manifest or its file name.
    private static String version() {
        Package jar = ai.onnxruntime.OrtEnvironment.class.getPackage();
        if (jar.getImplementationVersion() != null) {
            return jar.getImplementationVersion();
        }
        String file = ai.onnxruntime.OrtEnvironment.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath();
        String name = Path.of(file).getFileName().toString();
        return name.replaceAll("^.*?-(?=[0-9])|\\.jar$", "");
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        boolean arm = arch.equals("aarch64") || arch.equals("arm64");
        String system = os.contains("mac") ? "osx" : os.contains("win") ? "win" : "linux";
        return system + "-" + (arm ? "aarch64" : "x64");
    }
}
