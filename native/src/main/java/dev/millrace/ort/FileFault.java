// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Pattern;

/// Says what is wrong with a file that could not be loaded, for what ONNX Runtime says itself often is that it could
/// not be parsed. Stateless.
public final class FileFault {
    private static final int MAX_HEAD = 128;
    private static final int IR_VERSION = 1;
    private static final int GRAPH = 7;
    private static final long HIGHEST_IR_VERSION = 1000;

    /// What the message begins with, of which whoever loads the file knows the most.
    private static final Pattern PREFIX = Pattern.compile(
            "^Error code - \\w+ - message: (Load model from .*? failed:)?(Exception during initialization: )?");

    /// A line of ONNX Runtime's sources and the function that it is in.
    private static final Pattern PLACE =
            Pattern.compile("/onnxruntime_src/\\S+:\\d+ [^()]*\\([^()]*\\)( const)?( \\[with [^\\]]*\\])? ");

    private static final Pattern STATUS = Pattern.compile("\\[ONNXRuntimeError\\] : \\d+ : \\w+ : ");

    private FileFault() {}

    /// What is wrong with the file, and what ONNX Runtime says.
    static String explain(Path file, String message) {
        String said = plain(message);
        if (!said.contains("Protobuf parsing failed") && !said.contains("does not have a graph")) {
            return said;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            MemorySegment content = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return of(content) + ": " + said;
        } catch (IOException | InternalError e) {
            return said;
        }
    }

    /// What ONNX Runtime says without where in its sources it does.
    static String plain(String message) {
        String said = PREFIX.matcher(message).replaceFirst("");
        said = PLACE.matcher(said).replaceAll("");
        said = STATUS.matcher(said).replaceAll("");
        return said.strip();
    }

    /// What is wrong with a file that is no model.
    public static String of(MemorySegment content) {
        if (content.byteSize() == 0) {
            return "the file is empty";
        }
        byte[] bytes =
                content.asSlice(0, Math.min(content.byteSize(), MAX_HEAD)).toArray(ValueLayout.JAVA_BYTE);
        String head = new String(bytes, StandardCharsets.ISO_8859_1).stripLeading();
        if (head.startsWith("version https://git-lfs")) {
            return "the file is a pointer of Git LFS, expected the model itself (git lfs pull)";
        }
        if (head.startsWith("<")) {
            return "the file is a page of HTML or XML, expected a model";
        }
        if (head.startsWith("PK\u0003\u0004") || head.startsWith("\u001f\u008b")) {
            return "the file is an archive, expected the model itself";
        }
        if (head.startsWith("{")) {
            return "the file is JSON, expected a model";
        }
        return structure(content);
    }

    /// Goes over the fields of the outermost message.
    private static String structure(MemorySegment content) {
        ProtoCursor cursor = new ProtoCursor(content);
        boolean model = false;
        try {
            while (cursor.position() < content.byteSize()) {
                long tag = cursor.varint();
                long field = tag >>> 3;
                if ((tag & 7) != ProtoCursor.BYTES) {
                    long start = cursor.position();
                    cursor.skip((int) tag & 7);
                    long end = cursor.position();
                    cursor.position(start);
                    model |= field == IR_VERSION
                            && (tag & 7) == ProtoCursor.VARINT
                            && Long.compareUnsigned(cursor.varint(), HIGHEST_IR_VERSION) < 0;
                    cursor.position(end);
                    continue;
                }
                long length = cursor.varint();
                long end = cursor.position() + length;
                if (length < 0 || end < 0 || end > content.byteSize()) {
                    return model && length > 0 && field == GRAPH
                            ? "the file is cut off: it ends at byte " + content.byteSize()
                                    + ", expected its graph to end at " + end
                            : noModel(model);
                }
                cursor.position(end);
            }
            return noModel(model);
        } catch (IndexOutOfBoundsException e) {
            return noModel(model);
        }
    }

    private static String noModel(boolean model) {
        return model ? "the file begins as a model but is cut off or damaged" : "the file is no ONNX model";
    }
}
