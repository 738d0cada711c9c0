// SPDX-License-Identifier: Apache-2.0
package dev.millrace.model;

import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/// A file with the elements of one row, in binary, little end first; each text after its length in four bytes.
///
/// Threads: stateless.
final class WarmUpFile {
    /// A row of texts is read into memory as a whole; a file that is larger is no such row.
    private static final long MAX_TEXT_BYTES = 64L << 20;

    private WarmUpFile() {}

    /// Fills every row of a tensor.
    ///
    /// @throws IllegalArgumentException naming the file, if it is not in the folder or not as long as a row
    static void fill(Path folder, String name, Tensor tensor, int rows) {
        long elements = tensor.elementCount() / rows;
        if (tensor.datatype() == DataType.BYTES) {
            texts(name, read(folder, name, MAX_TEXT_BYTES), tensor, (int) elements, rows);
            return;
        }
        long rowBytes = tensor.byteSize() / rows;
        byte[] content = read(folder, name, rowBytes);
        if (content.length != rowBytes) {
            throw new IllegalArgumentException(
                    "input_data_file '" + name + "' has " + content.length + " bytes, expected " + rowBytes);
        }
        for (int row = 0; row < rows; row++) {
            // Not over a segment on the heap: copies elsewhere see none but native ones, and are compiled for them.
            MemorySegment.copy(content, 0, tensor.data(), ValueLayout.JAVA_BYTE, row * rowBytes, content.length);
        }
    }

    /// @param most bytes that it may have; more are not even read
    private static byte[] read(Path folder, String name, long most) {
        try {
            Path file = folder.resolve(name).toRealPath();
            if (!file.startsWith(folder.toRealPath())) {
                throw new IllegalArgumentException(
                        "input_data_file '" + name + "' lies elsewhere, expected a file in " + folder);
            }
            if (Files.size(file) > most) {
                throw new IllegalArgumentException(
                        "input_data_file '" + name + "' has " + Files.size(file) + " bytes, expected at most " + most);
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "input_data_file '" + name + "' cannot be read, expected a file in " + folder + ": " + e, e);
        }
    }

    private static void texts(String name, byte[] content, Tensor tensor, int elements, int rows) {
        ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < elements; i++) {
            int length = bytes.remaining() < 4 ? -1 : bytes.getInt();
            if (length < 0 || length > bytes.remaining()) {
                throw new IllegalArgumentException(
                        "input_data_file '" + name + "' ends within text " + i + ", expected " + elements);
            }
            byte[] text = new byte[length];
            bytes.get(text);
            for (int row = 0; row < rows; row++) {
                tensor.setBytes(row * elements + i, text);
            }
        }
        if (bytes.hasRemaining()) {
            throw new IllegalArgumentException("input_data_file '" + name + "' has " + bytes.remaining()
                    + " bytes after the last text, expected none");
        }
    }
}
