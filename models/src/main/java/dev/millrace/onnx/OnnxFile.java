// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import dev.millrace.ort.FileFault;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// An ONNX file as data: `ModelProto`. What is not changed is written as it was read, byte by byte.
///
/// The file is mapped, not read: it must not be written to while it is open, but may be replaced, as [#write(Path)]
/// does. Of the heap no more is used than the file is long, and some for small files.
///
/// Threads: one. Ownership: whoever opens it closes it; graphs, nodes and tensors of it are of no use any more then.
public final class OnnxFile implements AutoCloseable {
    private static final int IR_VERSION = 1;
    private static final int PRODUCER = 2;
    private static final int PRODUCER_VERSION = 3;
    private static final int DOMAIN = 4;
    private static final int MODEL_VERSION = 5;
    private static final int DOC = 6;
    private static final int GRAPH = 7;
    private static final int OPSET = 8;
    private static final int METADATA = 14;
    private static final int FUNCTION = 25;

    private final Path file;
    private final Arena arena;
    private final ProtoMessage message;

    private OnnxFile(Path file, Arena arena, ProtoMessage message) {
        this.file = file;
        this.arena = arena;
        this.message = message;
    }

    /// Opens a file. Whether what it says fits together is told by [#check()].
    ///
    /// @throws IOException if it cannot be read
    /// @throws InvalidModelException if it is no model
    public static OnnxFile open(Path file) throws IOException {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            ProtoMessage message = ProtoMessage.root(new Source(bytes));
            if (!isModel(message)) {
                throw new InvalidModelException(FileFault.of(bytes));
            }
            return new OnnxFile(file, arena, message);
        } catch (IOException | RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /// A new model, for [#write(Path)]. It has no file.
    ///
    /// @param opsets the version of the operators of each domain, ONNX's own being `ai.onnx`
    public static OnnxFile of(OnnxGraph graph, long irVersion, Map<String, Long> opsets, String producer) {
        ProtoMessage message = new ProtoMessage()
                .setNumber(IR_VERSION, irVersion)
                .setText(PRODUCER, producer)
                .setMessages(GRAPH, List.of(graph.message()));
        OnnxFile file = new OnnxFile(null, Arena.ofShared(), message);
        opsets.forEach(file::setOpset);
        return file;
    }

    private static boolean isModel(ProtoMessage message) {
        try {
            return message.has(IR_VERSION) && message.has(GRAPH);
        } catch (InvalidModelException _) {
            return false;
        }
    }

    /// Holds that the model fits together: tensors have the elements that their shapes want, in the file or in one of
    /// its folder; every value is made once, and by what does not need it itself; functions do not call themselves.
    ///
    /// @throws IOException if a file with tensors cannot be looked at
    /// @throws InvalidModelException if it does not
    public void check() throws IOException {
        try {
            new Soundness(this).check();
        } catch (InternalError e) {
            throw new IOException(file + " changed while it was read", e);
        }
    }

    /// Where it is; null for one that was made here.
    public Path path() {
        return file;
    }

    /// All of it.
    public ProtoMessage message() {
        return message;
    }

    /// The model's graph.
    public OnnxGraph graph() {
        return new OnnxGraph(
                message.message(GRAPH).orElseThrow(() -> new InvalidModelException("the model has no graph")));
    }

    /// The operators that the model brings along.
    public List<OnnxFunction> functions() {
        return message.messages(FUNCTION).stream().map(OnnxFunction::new).toList();
    }

    /// Which version of ONNX's format it is in.
    public long irVersion() {
        return message.number(IR_VERSION, 0);
    }

    /// The version of the operators of each domain, ONNX's own being `ai.onnx`.
    public Map<String, Long> opsets() {
        Map<String, Long> opsets = new LinkedHashMap<>();
        for (ProtoMessage opset : message.messages(OPSET)) {
            String domain = opset.text(1);
            opsets.put(domain.isEmpty() ? OperatorName.ONNX : domain, opset.number(2, 0));
        }
        return opsets;
    }

    /// Says which version of a domain's operators it uses.
    public void setOpset(String domain, long version) {
        String named = domain.equals(OperatorName.ONNX) ? "" : domain;
        List<ProtoMessage> all = new ArrayList<>();
        boolean found = false;
        for (ProtoMessage opset : message.messages(OPSET)) {
            String other = opset.text(1);
            boolean same = named.equals(other.equals(OperatorName.ONNX) ? "" : other);
            all.add(same ? opset.setNumber(2, version) : opset);
            found |= same;
        }
        if (!found) {
            ProtoMessage opset = new ProtoMessage().setNumber(2, version);
            all.add(named.isEmpty() ? opset : opset.setText(1, named));
        }
        message.setMessages(OPSET, all);
    }

    /// Has something else stored with it.
    public void setMetadata(String key, String value) {
        List<ProtoMessage> all = new ArrayList<>(message.messages(METADATA));
        all.removeIf(entry -> entry.text(1).equals(key));
        all.add(new ProtoMessage().setText(1, key).setText(2, value));
        message.setMessages(METADATA, all);
    }

    /// The program that made it; may be empty, as those that follow.
    public String producer() {
        return message.text(PRODUCER);
    }

    /// That program's version.
    public String producerVersion() {
        return message.text(PRODUCER_VERSION);
    }

    /// Whose model it is, as a name of a domain.
    public String domain() {
        return message.text(DOMAIN);
    }

    /// The model's own version.
    public long modelVersion() {
        return message.number(MODEL_VERSION, 0);
    }

    /// What its maker says about it.
    public String doc() {
        return message.text(DOC);
    }

    /// What else its maker stored with it.
    public Map<String, String> metadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        for (ProtoMessage entry : message.messages(METADATA)) {
            metadata.put(entry.text(1), entry.text(2));
        }
        return metadata;
    }

    /// The files beside the model that its tensors say they are in, each once.
    ///
    /// @throws IOException if one cannot be looked at
    /// @throws InvalidModelException if one is not in the model's folder
    public Set<String> externalFiles() throws IOException {
        Soundness soundness = new Soundness(this);
        soundness.check();
        return soundness.locations();
    }

    /// Writes the model to a file, which appears whole and is on the disk then, and the files with its tensors
    /// beside it, if it is in another folder; so do these, before. A file that is replaced keeps its permissions,
    /// a new one has those of the file that was read, as far as new files may have them.
    ///
    /// @throws IOException if that cannot be done, or another file of a name that is needed is there; nothing new
    ///     is there then
    /// @throws InvalidModelException if the model does not fit together
    public void write(Path target) throws IOException {
        Path folder = target.toAbsolutePath().normalize().getParent();
        Set<String> locations = externalFiles();
        for (String location : locations) {
            if (isSame(target, folder.resolve(location))) {
                throw new IOException(target + " is to be the model, and the file with its tensors, too");
            }
        }
        List<Path> copied = new ArrayList<>();
        try {
            for (String location : locations) {
                Path to = folder.resolve(location);
                if (copy(file.resolveSibling(location), to)) {
                    copied.add(to);
                }
            }
            writeWhole(target);
            copied.clear();
        } finally {
            for (Path copy : copied) {
                Files.deleteIfExists(copy);
            }
        }
    }

    private void writeWhole(Path target) throws IOException {
        Set<PosixFilePermission> replaced = Files.exists(target) ? permissions(target) : Set.of();
        Path partial = partial(target, replaced.isEmpty() ? permissions() : replaced);
        try {
            try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
                ProtoWriter writer = new ProtoWriter(channel);
                message.write(writer);
                writer.flush();
                channel.force(true);
            }
            if (!replaced.isEmpty()) {
                Files.setPosixFilePermissions(partial, replaced);
            }
            Files.move(partial, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    /// Those of a new file: of the file that was read, or any.
    private Set<PosixFilePermission> permissions() throws IOException {
        return file == null
                ? permissions(Path.of("")).isEmpty() ? Set.of() : PosixFilePermissions.fromString("rw-rw-rw-")
                : permissions(file);
    }

    /// Empty where files have no such permissions.
    private static Set<PosixFilePermission> permissions(Path path) throws IOException {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? Files.getPosixFilePermissions(path)
                : Set.of();
    }

    /// Makes the file that is renamed to the target once it is whole, beside it.
    ///
    /// @param permissions those that it is to have, of which the process's mask may take some
    private static Path partial(Path target, Set<PosixFilePermission> permissions) throws IOException {
        Path folder = target.toAbsolutePath().normalize().getParent();
        String name = target.getFileName().toString();
        if (permissions.isEmpty()) {
            return Files.createTempFile(folder, name, ".partial");
        }
        Set<PosixFilePermission> all = EnumSet.copyOf(permissions);
        all.add(PosixFilePermission.OWNER_WRITE);
        return Files.createTempFile(folder, name, ".partial", PosixFilePermissions.asFileAttribute(all));
    }

    /// Whether a file was made, rather than there.
    private static boolean copy(Path from, Path to) throws IOException {
        if (!Files.exists(to)) {
            Files.createDirectories(to.getParent());
            copyWhole(from, to);
            return true;
        }
        if (!Files.isSameFile(from, to) && Files.mismatch(from, to) >= 0) {
            throw new IOException(to + " is another file already; the model's tensors in " + from + " need that name");
        }
        return false;
    }

    private static void copyWhole(Path from, Path to) throws IOException {
        Path partial = partial(to, permissions(from));
        try {
            try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ);
                    FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
                long size = source.size();
                for (long at = 0; at < size; ) {
                    long sent = source.transferTo(at, size - at, channel);
                    if (sent <= 0) {
                        throw new IOException(from + " became shorter while it was copied");
                    }
                    at += sent;
                }
                channel.force(true);
            }
            Files.move(partial, to, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    private static boolean isSame(Path one, Path other) throws IOException {
        return one.toAbsolutePath().normalize().equals(other)
                || (Files.exists(one) && Files.exists(other) && Files.isSameFile(one, other));
    }

    /// The model as it would be written.
    public byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(Math.toIntExact(message.byteSize()));
        try {
            ProtoWriter writer = new ProtoWriter(Channels.newChannel(bytes));
            message.write(writer);
            writer.flush();
        } catch (IOException e) {
            throw new IllegalStateException("an array takes everything", e);
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() {
        arena.close();
    }
}
