// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.ort.SessionSettings;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// What a trial is to do, as it goes from one process to the other.
///
/// @param file the model
/// @param versionFolder where its goldens are; null: they are not checked
/// @param settings how it will be opened
/// @param memoryBytes the memory that it may take
record TrialTask(Path file, Path versionFolder, SessionSettings settings, long memoryBytes) {
    void write(DataOutputStream out) throws IOException {
        out.writeUTF(file.toAbsolutePath().toString());
        out.writeUTF(versionFolder == null ? "" : versionFolder.toAbsolutePath().toString());
        out.writeUTF(settings.optimization().name());
        out.writeUTF(settings.arena().name());
        out.writeBoolean(settings.memoryPattern());
        out.writeInt(settings.entries().size());
        for (Map.Entry<String, String> entry : settings.entries().entrySet()) {
            out.writeUTF(entry.getKey());
            out.writeUTF(entry.getValue());
        }
        out.writeLong(memoryBytes);
        out.flush();
    }

    /// Reads what [#write(DataOutputStream)] wrote, but for the threads: a trial has one.
    static TrialTask read(DataInputStream in) throws IOException {
        Path file = Path.of(in.readUTF());
        String folder = in.readUTF();
        SessionSettings.Optimization optimization = SessionSettings.Optimization.valueOf(in.readUTF());
        SessionSettings.Arena arena = SessionSettings.Arena.valueOf(in.readUTF());
        boolean memoryPattern = in.readBoolean();
        Map<String, String> entries = new HashMap<>();
        for (int count = in.readInt(); count > 0; count--) {
            String key = in.readUTF();
            entries.put(key, in.readUTF());
        }
        return new TrialTask(
                file,
                folder.isEmpty() ? null : Path.of(folder),
                new SessionSettings(1, 0, optimization, arena, memoryPattern, entries),
                in.readLong());
    }
}
