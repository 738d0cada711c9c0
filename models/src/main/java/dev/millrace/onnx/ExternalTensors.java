// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Holds that tensors that say they are in other files are: in files of the model's folder, wherever links lead, and
/// within them. Nothing of those files is read. Threads: one.
final class ExternalTensors {
    private final Path folder;
    private final Set<String> locations = new TreeSet<>();

    /// @param model the model's file, or null if it has none
    ExternalTensors(Path model) {
        this.folder = model == null ? null : model.toAbsolutePath().normalize().getParent();
    }

    /// The files, as they are named.
    Set<String> locations() {
        return locations;
    }

    void check(OnnxTensor tensor) throws IOException {
        Map<String, String> entries = tensor.external();
        String location = entries.getOrDefault("location", "");
        String named = "tensor '" + tensor.name() + "' is in '" + location + "'";
        long size = Files.size(file(location, named));
        long wanted = tensor.byteSize();
        long offset = number(entries, "offset", 0, named);
        long length = number(entries, "length", wanted, named);
        if (tensor.type() == ElementType.STRING || length != wanted) {
            throw new InvalidModelException(
                    named + ", " + length + " bytes of it, expected " + wanted + " for its shape");
        }
        if (offset > size || length > size - offset) {
            throw new InvalidModelException(
                    named + " from byte " + offset + " on, " + length + " bytes, but that file ends at byte " + size);
        }
        locations.add(location);
    }

    private Path file(String location, String named) throws IOException {
        if (folder == null) {
            throw new InvalidModelException(named + ", but the model is in no folder");
        }
        Path data;
        try {
            Path relative = Path.of(location);
            data = folder.resolve(relative).normalize();
            if (relative.isAbsolute() || !data.startsWith(folder) || data.equals(folder)) {
                throw new InvalidModelException(named + ", expected a file in the model's folder");
            }
        } catch (InvalidPathException e) {
            throw new InvalidModelException(named + ", expected the name of a file", e);
        }
        if (!Files.isRegularFile(data)) {
            throw new InvalidModelException(named + ", expected that file beside the model, came none");
        }
        if (!data.toRealPath().startsWith(folder.toRealPath())) {
            throw new InvalidModelException(named + ", which is a link out of the model's folder");
        }
        return data;
    }

    private static long number(Map<String, String> entries, String key, long otherwise, String named) {
        String text = entries.get(key);
        try {
            long value = text == null ? otherwise : Long.parseLong(text);
            if (value >= 0) {
                return value;
            }
        } catch (NumberFormatException _) {
            // Told below, as a negative number is.
        }
        throw new InvalidModelException(named + " with " + key + " '" + text + "', expected a number of bytes");
    }
}
