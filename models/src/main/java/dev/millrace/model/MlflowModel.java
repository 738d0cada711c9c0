// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.model.TextProto.Field;
import dev.millrace.model.TextProto.Malformed;
import dev.millrace.model.TextProto.Scalar;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A folder as MLflow saves models: the file `MLmodel` tells by which flavors it can be loaded, and the flavor `onnx`
/// which file is the model. The rest is for Python and passed over.
///
/// Threads: stateless.
final class MlflowModel {
    static final String NAME = "MLmodel";
    static final String FLAVOR = "onnx";

    private static final long MAX_BYTES = 1 << 20;

    private MlflowModel() {}

    /// The model file that a folder's `MLmodel` names.
    ///
    /// @throws ConfigFile.Invalid if it names none, which is in its message with the flavors that it has
    static Path file(Path folder) {
        String data = data(folder.resolve(NAME));
        try {
            Path file = folder.resolve(data).normalize();
            if (file.startsWith(folder.normalize()) && !file.equals(folder.normalize())) {
                return file;
            }
        } catch (InvalidPathException e) {
            throw invalid("has flavors.onnx.data '" + data + "', expected the name of a file");
        }
        throw invalid("has flavors.onnx.data '" + data + "', expected a file in its folder");
    }

    private static String data(Path file) {
        Map<String, String> flavors = flavors(read(file));
        String onnx = flavors.get(FLAVOR);
        if (onnx == null) {
            throw invalid("has the flavors " + flavors.keySet() + ", expected " + FLAVOR + " among them");
        }
        try {
            for (Field field : YamlFields.tree(onnx).fields()) {
                if (field.name().equals("data") && field.value() instanceof Scalar scalar) {
                    return scalar.text();
                }
            }
        } catch (Malformed e) {
            throw invalid("cannot be read at flavors.onnx: " + e.getMessage());
        }
        throw invalid("has no flavors.onnx.data, expected the name of the model file");
    }

    private static String read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw invalid("has " + Files.size(file) + " bytes, expected " + MAX_BYTES + " at most");
            }
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw invalid("cannot be read: " + e);
        }
    }

    /// The flavors by name, each as the text of its block. All other fields may be any YAML, also such as
    /// [dev.millrace.yaml.Yaml] does not read.
    private static Map<String, String> flavors(String text) {
        Map<String, StringBuilder> blocks = new LinkedHashMap<>();
        List<String> lines = new ArrayList<>(block(text.lines().toList()));
        if (lines.isEmpty()) {
            throw invalid("has no flavors, expected " + FLAVOR + " among them");
        }
        String inline = lines.removeFirst().substring("flavors:".length()).strip();
        if (!inline.isEmpty()) {
            throw invalid("has flavors '" + inline + "', expected them in lines of their own");
        }
        int indent = lines.stream().mapToInt(MlflowModel::indent).min().orElse(0);
        StringBuilder open = null;
        for (String line : lines) {
            if (indent(line) == indent && line.strip().endsWith(":")) {
                String name = line.strip().replaceAll(":$", "").replaceAll("^([\"'])(.*)\\1$", "$2");
                open = new StringBuilder();
                blocks.put(name, open);
            } else if (indent(line) == indent) {
                blocks.put(line.strip().replaceAll(":.*", ""), new StringBuilder());
            } else if (open != null) {
                open.append(line).append('\n');
            }
        }
        Map<String, String> flavors = new LinkedHashMap<>();
        blocks.forEach((name, block) -> flavors.put(name, block.toString()));
        return flavors;
    }

    /// The line that begins the flavors and those indented below it, without blank lines and comments.
    private static List<String> block(List<String> lines) {
        List<String> block = new ArrayList<>();
        for (String line : lines) {
            boolean top = indent(line) == 0;
            if (line.isBlank() || line.stripLeading().startsWith("#")) {
                continue;
            }
            if (!block.isEmpty() && top) {
                break;
            }
            if (!block.isEmpty() || line.startsWith("flavors:")) {
                block.add(line);
            }
        }
        return block;
    }

    private static int indent(String line) {
        return line.length() - line.stripLeading().length();
    }

    private static ConfigFile.Invalid invalid(String problem) {
        return new ConfigFile.Invalid(NAME + " " + problem);
    }
}
