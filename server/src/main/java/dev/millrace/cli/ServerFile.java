// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import dev.millrace.settings.Setting;
import dev.millrace.settings.SettingException;
import dev.millrace.yaml.Yaml;
import dev.millrace.yaml.YamlException;
import dev.millrace.yaml.YamlNode.Mapping;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/// The configuration file of a server, in YAML: sections by name, each with a reader of its own.
///
///     new ServerFile().section("updates", value -> updates = Updates.read(value)).read(file);
///
/// Threads: one.
final class ServerFile {
    private final Map<String, Consumer<Setting>> sections = new LinkedHashMap<>();

    /// Has a section read, if it is there.
    ///
    /// @param reader throws a [SettingException] if something of it is wrong
    ServerFile section(String name, Consumer<Setting> reader) {
        sections.put(name, reader);
        return this;
    }

    /// Reads all sections that are there, in the order in which their readers were named.
    ///
    /// @throws IOException if the file cannot be read
    /// @throws SettingException if it has another section, or something in it is wrong
    void read(Path file) throws IOException {
        Setting whole = new Setting(file, "", parse(file));
        Map<String, Setting> values =
                whole.settings(sections.keySet().toArray(String[]::new)).values();
        sections.forEach((name, reader) -> {
            if (values.containsKey(name)) {
                reader.accept(values.get(name));
            }
        });
    }

    private static Mapping parse(Path file) throws IOException {
        try {
            return Yaml.parse(Files.readString(file));
        } catch (YamlException e) {
            throw new SettingException(file, e.line(), e.column(), e.problem());
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is no UTF-8, expected YAML", e);
        }
    }
}
