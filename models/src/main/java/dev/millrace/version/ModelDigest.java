// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Set;

/// The SHA-256 of a model's content, by which it is known whatever it is called and wherever it lies.
///
/// Of a model in one file it is that file's, so `sha256sum model.onnx` prints it. Where tensors lie in files beside it,
/// it is the SHA-256 of the lines that `sha256sum` prints for the model file and then for the others in order of their
/// names: `sha256sum model.onnx weights.bin | sha256sum`.
///
/// Threads: stateless. Files are streamed, not held.
public final class ModelDigest {
    private static final int BUFFER_BYTES = 1 << 16;

    private ModelDigest() {}

    /// The digest of a model file and its external data, in lower-case hexadecimal.
    ///
    /// @throws IOException if one of the files cannot be read, is missing, or lies outside of the model's folder
    public static String of(Path file) throws IOException {
        String model = sha256(file);
        Set<String> locations = ExternalData.of(file);
        if (locations.isEmpty()) {
            return model;
        }
        MessageDigest all = newDigest();
        addLine(all, model, file.getFileName().toString());
        for (String location : locations) {
            addLine(all, sha256(beside(file, location)), location);
        }
        return HexFormat.of().formatHex(all.digest());
    }

    private static Path beside(Path file, String location) throws IOException {
        String named = file.getFileName() + " has tensors in '" + location + "'";
        Path folder = file.toAbsolutePath().normalize().getParent();
        Path data;
        try {
            data = folder.resolve(location).normalize();
        } catch (InvalidPathException e) {
            throw new IOException(named + ", expected the name of a file", e);
        }
        if (!data.startsWith(folder) || data.equals(folder)) {
            throw new IOException(named + ", expected a file in the model's folder");
        }
        if (!Files.isRegularFile(data)) {
            throw new IOException(named + ", expected that file beside it, came none");
        }
        return data;
    }

    private static void addLine(MessageDigest all, String hex, String name) {
        all.update((hex + "  " + name + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /// The digest of one file, in lower-case hexadecimal.
    static String sha256(Path file) throws IOException {
        MessageDigest digest = newDigest();
        byte[] buffer = new byte[BUFFER_BYTES];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /// The digest of a text, in lower-case hexadecimal.
    static String sha256(String text) {
        return HexFormat.of().formatHex(newDigest().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
