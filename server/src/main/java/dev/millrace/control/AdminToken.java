// SPDX-License-Identifier: Apache-2.0
package dev.millrace.control;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// A secret that gives admin access. Only its digest is kept, so that nothing that shows it shows the secret.
///
/// Threads: any.
public final class AdminToken {
    /// What an HTTP header may have, without spaces.
    private static final String VISIBLE = "[\\x21-\\x7e]+";

    private static final long MAX_BYTES = 4096;

    private final byte[] digest;

    private AdminToken(byte[] digest) {
        this.digest = digest;
    }

    /// The token with that secret.
    ///
    /// @throws IllegalArgumentException if no request could bring it
    public static AdminToken of(String secret) {
        if (!secret.matches(VISIBLE)) {
            throw new IllegalArgumentException(
                    "the admin token is empty or has characters that no header can have, expected visible ASCII");
        }
        return new AdminToken(digest(secret));
    }

    /// The token with the secret in the only line of a file.
    ///
    /// @throws IOException if it cannot be read
    /// @throws IllegalArgumentException if it is no such file
    public static AdminToken read(Path file) throws IOException {
        if (Files.size(file) > MAX_BYTES) {
            throw new IllegalArgumentException(
                    "the file of the admin token, " + file + ", has more than " + MAX_BYTES + " bytes");
        }
        return of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8).strip());
    }

    /// Whether a secret is this one, in a time that tells nothing about it.
    boolean is(String secret) {
        return MessageDigest.isEqual(digest, digest(secret));
    }

    private static byte[] digest(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    /// Nothing of the secret.
    @Override
    public String toString() {
        return "AdminToken";
    }
}
