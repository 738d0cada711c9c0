// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.swap;

import dev.millrace.bench.model.OnnxGraph;
import dev.millrace.memory.DataType;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/// A model in a repository that is replaced again and again. It adds a constant to its input, another one each time, so
/// that an answer tells by which of them it was given; a MiB of weights is looked up on the way, so that one that is
/// not freed shows. By turns there is a new version, and another file for the same version. One that is kept has two
/// versions, of which the server keeps warm the one that does not serve.
///
/// Which of them are live is known as well as somebody outside can know it: the next one from when it is asked for, the
/// one before until the server says that it was replaced.
///
/// Threads: one replaces, others ask.
final class SwappedModel {
    static final String NAME = "swapped";
    static final String INPUT = "x";
    /// Inputs are whole numbers below this.
    static final int INPUTS = 1 << 10;

    private static final int TABLE = 1 << 18;
    private static final int INT64 = 7;

    private final Path folder;
    private final boolean kept;
    /// The latest that may answer.
    private volatile int newest;
    /// The latest that has replaced the one before.
    private volatile int settled;

    /// @param kept whether it is to have two versions that replace each other for ever
    SwappedModel(Path repository, boolean kept) throws IOException {
        this.folder = repository.resolve(NAME);
        this.kept = kept;
        write(0);
        if (kept) {
            Files.writeString(
                    folder.resolve("config.pbtxt"),
                    "parameters { key: \"keep_previous\" value { string_value: \"1\" } }\n");
        }
    }

    /// The version of the one that was put in place as number `index`, counted from 0.
    private long version(int index) {
        return kept ? 1L + index % 2 : 1L + index / 2;
    }

    private float constant(int index) {
        return (float) INPUTS * ((kept ? index % 2 : index) + 1);
    }

    private void write(int index) throws IOException {
        Path file = folder.resolve(Long.toString(version(index))).resolve("model.onnx");
        Files.createDirectories(file.getParent());
        Path fresh = folder.resolveSibling(".fresh");
        Files.write(fresh, onnx(constant(index)));
        Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    private static byte[] onnx(float constant) {
        float[] table = new float[TABLE];
        for (int i = 0; i < TABLE; i++) {
            table[i] = i;
        }
        return new OnnxGraph("constant")
                .input(INPUT, DataType.FP32, -1, 1)
                .output("y", DataType.FP32, -1, 1)
                .weights("table", table, TABLE)
                .weights("constant", new float[] {constant}, 1)
                .node("Cast", "index", List.of(INPUT), OnnxGraph.integer("to", INT64))
                .node("Gather", "same", List.of("table", "index"))
                .node("Add", "y", List.of("same", "constant"))
                .bytes();
    }

    /// Puts the next one in place, without anybody being told.
    void prepare() throws IOException {
        write(newest + 1);
    }

    /// The server is about to be asked for what was prepared: from now on that may answer.
    void swapping() {
        newest = settled + 1;
    }

    /// The server says that it has: from now on what was before must not answer new requests.
    void swapped() throws IOException {
        settled = newest;
        long before = version(settled - 1);
        if (before != version(settled) && !kept) {
            delete(folder.resolve(Long.toString(before)));
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.map(Path::toFile).toList().reversed().forEach(File::delete);
        }
    }

    /// What was live when a request that is about to be sent begins; for [#wrong].
    int settled() {
        return settled;
    }

    /// What is wrong with an answer that came just now; null if nothing is.
    ///
    /// @param oldest what [#settled()] said before the request was sent
    /// @param input what was asked
    /// @param output what was answered
    /// @param version what the answer says that it comes from
    String wrong(int oldest, int input, float output, String version) {
        int latest = newest;
        int index = Math.round((output - input) / INPUTS) - 1;
        if (index < 0 || output != input + constant(index)) {
            return "the answer to " + input + " is " + output + ", which no version gives";
        }
        boolean live = kept ? latest > oldest || index == oldest % 2 : index >= oldest && index <= latest;
        if (!live) {
            return "number " + index + " answered, live were " + oldest + " to " + latest;
        }
        return version.equals(Long.toString(version(index)))
                ? null
                : "version " + version(index) + " answered, and says that it is " + version;
    }
}
