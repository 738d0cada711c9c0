// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/// The small models in `models` among the test resources, opened by either binding.
final class TestModels {
    private TestModels() {}

    static Path file(String name) {
        URL url = TestModels.class.getResource("/models/" + name + ".onnx");
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static OnnxSession open(String name, OrtRuntime.Binding binding) {
        String before = System.getProperty(OrtRuntime.BINDING_PROPERTY);
        System.setProperty(OrtRuntime.BINDING_PROPERTY, binding.name().toLowerCase(Locale.ROOT));
        try {
            return OnnxSession.open(file(name), SessionSettings.DEFAULT);
        } finally {
            if (before == null) {
                System.clearProperty(OrtRuntime.BINDING_PROPERTY);
            } else {
                System.setProperty(OrtRuntime.BINDING_PROPERTY, before);
            }
        }
    }

    static String identity(DataType type) {
        return "identity_" + type.name().toLowerCase(Locale.ROOT);
    }

    /// Whether ONNX Runtime's Java API takes tensors of this type.
    static boolean isInJavaApi(DataType type) {
        return type != DataType.UINT16 && type != DataType.UINT32 && type != DataType.UINT64;
    }

    /// One empty tensor per value.
    static Tensor[] tensors(List<ValueInfo> values) {
        return values.stream()
                .map(value -> new Tensor(MemoryTag.CALL, value.datatype()))
                .toArray(Tensor[]::new);
    }

    static void close(Tensor... tensors) {
        for (Tensor tensor : tensors) {
            tensor.close();
        }
    }

    /// Sets every element at random; all patterns of bits occur, of strings all kinds.
    static void fill(Tensor tensor, SplittableRandom random) {
        if (tensor.datatype() == DataType.BYTES) {
            for (int i = 0; i < tensor.elementCount(); i++) {
                tensor.setString(i, text(random));
            }
        } else if (tensor.datatype() == DataType.BOOL) {
            for (int i = 0; i < tensor.elementCount(); i++) {
                tensor.setLong(i, random.nextInt(2));
            }
        } else {
            byte[] bytes = new byte[(int) tensor.byteSize()];
            random.nextBytes(bytes);
            java.lang.foreign.MemorySegment.copy(
                    bytes, 0, tensor.data(), java.lang.foreign.ValueLayout.JAVA_BYTE, 0, bytes.length);
        }
    }

    /// Text with characters of one to three bytes, often empty.
    private static String text(SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        int length = random.nextInt(4) == 0 ? 0 : random.nextInt(12);
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(
                    switch (random.nextInt(3)) {
                        case 0 -> random.nextInt(' ', 0x7f);
                        case 1 -> random.nextInt(0xa1, 0x600);
                        default -> random.nextInt(0x4e00, 0x9fff);
                    });
        }
        return text.toString();
    }
}
