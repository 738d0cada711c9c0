// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import dev.millrace.json.JsonException;
import dev.millrace.json.JsonReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Request bodies from a file: one JSON object over as many lines as it likes, or several, one after the other. Each is
/// sent byte for byte as it stands there. Threads: any.
final class BodyFile {
    private BodyFile() {}

    /// @throws LoadException if it cannot be read, or there is something else in it
    static List<byte[]> read(Path file) throws LoadException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new LoadException("cannot read " + file + ": " + e.getClass().getSimpleName(), e);
        }
        try {
            List<byte[]> bodies = split(bytes);
            if (bodies.isEmpty()) {
                throw new LoadException(file + " is empty");
            }
            return bodies;
        } catch (JsonException e) {
            throw new LoadException(file + ": " + e.getMessage(), e);
        }
    }

    private static List<byte[]> split(byte[] bytes) {
        List<byte[]> bodies = new ArrayList<>();
        JsonReader json = new JsonReader();
        json.reset(Arrays.copyOf(bytes, bytes.length + JsonReader.PADDING), 0, bytes.length);
        for (JsonReader.Token token = json.token(); token != JsonReader.Token.END; token = json.token()) {
            if (token != JsonReader.Token.OBJECT) {
                json.enterObject(); // throws, and says what is there instead
            }
            int from = json.position();
            json.skip();
            bodies.add(Arrays.copyOfRange(bytes, from, json.position()));
        }
        return bodies;
    }
}
