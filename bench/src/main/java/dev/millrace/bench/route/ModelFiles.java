// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.route;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/// Puts a model file, and the files with its weights where they are kept apart, into a repository. Nothing is copied
/// where the file system has hard links. Stateless.
final class ModelFiles {
    private ModelFiles() {}

    /// Makes `model/1/model.onnx` in `repository` and returns it.
    ///
    /// @throws IOException if the file cannot be read or is not an ONNX model
    static Path into(Path repository, Path model) throws IOException {
        if (!Files.isRegularFile(model)) {
            throw new FileNotFoundException(model + (Files.exists(model) ? " is not a file" : " does not exist"));
        }
        Path source = model.toRealPath();
        Path folder = Files.createDirectories(repository.resolve("model").resolve("1"));
        for (String location : externalFiles(source)) {
            Path target = folder.resolve(location).normalize();
            if (!target.startsWith(folder)) {
                throw new IOException(model + " keeps weights outside its folder, in " + location);
            }
            Files.createDirectories(target.getParent());
            link(target, source.resolveSibling(location));
        }
        return link(folder.resolve("model.onnx"), source);
    }

    private static Path link(Path target, Path source) throws IOException {
        try {
            return Files.createLink(target, source);
        } catch (IOException | UnsupportedOperationException _) {
            return Files.copy(source, target);
        }
    }

    private static Set<String> externalFiles(Path model) throws IOException {
        Set<String> locations = new TreeSet<>();
        try (InputStream in = Files.newInputStream(model)) {
            CodedInputStream bytes = CodedInputStream.newInstance(in);
            bytes.setSizeLimit(Integer.MAX_VALUE);
            for (TensorProto weights : ModelProto.parseFrom(bytes).getGraph().getInitializerList()) {
                weights.getExternalDataList().stream()
                        .filter(entry -> entry.getKey().equals("location"))
                        .map(StringStringEntryProto::getValue)
                        .forEach(locations::add);
            }
        } catch (InvalidProtocolBufferException e) {
            throw new IOException(model + " is not an ONNX model: " + e.getMessage(), e);
        }
        return locations;
    }
}
