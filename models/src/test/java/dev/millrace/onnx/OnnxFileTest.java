// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import static dev.millrace.version.Proto.field;
import static dev.millrace.version.Proto.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.millrace.memory.DataType;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.Tensor;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.SessionSettings;
import dev.millrace.ort.TensorRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Files that are read, changed and written.
class OnnxFileTest {
    @TempDir
    Path temp;

    /// A model with everything and its external data, in a folder of its own, and a field that nobody knows.
    private Path everything() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("source"));
        Files.copy(TestFiles.file("inspect/everything.bin"), folder.resolve("everything.bin"));
        byte[] model = Files.readAllBytes(TestFiles.file("inspect/everything.onnx"));
        return Files.write(folder.resolve("model.onnx"), join(model, field(500, "of a later version")));
    }

    @Test
    void shouldWriteEveryFileAsItWasRead() throws IOException {
        List<Path> files = new ArrayList<>(TestFiles.all());
        files.add(everything());

        for (Path file : files) {
            try (OnnxFile model = OnnxFile.open(file)) {
                model.check();
                model.graph().nodes().forEach(OnnxNode::attributes);
                assertThat(model.toBytes()).as(file.toString()).isEqualTo(Files.readAllBytes(file));
            }
        }
        assertThat(files.size()).isGreaterThan(12);
    }

    @Test
    void shouldReadWhatAModelSays() throws IOException {
        try (OnnxFile model = OnnxFile.open(everything())) {
            assertThat(model.irVersion()).isEqualTo(9);
            assertThat(model.producer() + " " + model.producerVersion()).isEqualTo("make.py 1");
            assertThat(model.domain()).isEqualTo("test.millrace");
            assertThat(model.modelVersion()).isEqualTo(3);
            assertThat(model.doc()).isEqualTo("For tests.");
            assertThat(model.metadata())
                    .containsEntry("licence", "Apache-2.0")
                    .containsEntry("text", "two\nlines, \u00fc");
            assertThat(model.opsets()).containsEntry("ai.onnx", 17L).containsEntry("acme", 1L);
            assertThat(model.externalFiles()).containsExactly("everything.bin");
            assertThat(model.functions())
                    .extracting(function -> function.operator().toString())
                    .containsExactly("acme.Twice", "acme.FourTimes");
            OnnxGraph graph = model.graph();
            assertThat(graph.name()).isEqualTo("everything");
            assertThat(graph.nodes())
                    .extracting(node -> node.operator().toString())
                    .containsExactly("MatMul", "acme.FourTimes", "Add", "Constant", "If");
            assertThat(graph.nodes().get(4).graphs())
                    .extracting(OnnxGraph::name)
                    .containsExactly("else", "then");
            assertThat(graph.valueInfos()).extracting(OnnxValue::name).containsExactly("product");
            assertThat(graph.inputs().getFirst().shape().orElseThrow())
                    .containsExactly(new OnnxValue.Dimension(-1, "batch"), new OnnxValue.Dimension(5, ""));
            OnnxTensor weights = graph.initializers().getFirst();
            assertThat(weights.isExternal()).isTrue();
            assertThat(weights.byteSize()).isEqualTo(60);
            assertThat(graph.sparseValues().getFirst().byteSize()).isEqualTo(8);
        }
    }

    @Test
    void shouldKeepWhatItDoesNotUnderstandWhenAModelIsChanged() throws IOException {
        Path file = everything();
        byte[] before = Files.readAllBytes(file);
        Path changed = temp.resolve("changed/model.onnx");
        Files.createDirectories(changed.getParent());
        try (OnnxFile model = OnnxFile.open(file)) {
            model.message().setText(2, "somebody");
            model.graph().nodes().get(0).message().setText(3, "renamed product");
            model.write(changed);
        }

        assertThat(new String(Files.readAllBytes(changed), java.nio.charset.StandardCharsets.ISO_8859_1))
                .contains("of a later version", "renamed product", "somebody", "FourTimes", "Apache-2.0");
        assertThat(run(changed)).isEqualTo(run(file));
        assertThat(Files.readAllBytes(changed.resolveSibling("everything.bin")))
                .isEqualTo(Files.readAllBytes(file.resolveSibling("everything.bin")));
        try (OnnxFile model = OnnxFile.open(changed)) {
            model.check();
            model.message().setText(2, "make.py");
            model.graph().nodes().get(0).message().setText(3, "product");
            assertThat(model.toBytes()).as("changed back").isEqualTo(before);
        }
    }

    private static List<Float> run(Path file) {
        try (OnnxSession session = OnnxSession.open(file, SessionSettings.DEFAULT);
                TensorRunner runner = session.tensorRunner();
                Tensor x = new Tensor(MemoryTag.CALL, DataType.FP32).reshape(2, 5);
                Tensor flag = new Tensor(MemoryTag.CALL, DataType.BOOL).reshape();
                Tensor y = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            for (int i = 0; i < 10; i++) {
                x.setReal(i, 0.25 * i - 1);
            }
            flag.setLong(0, 1);
            runner.run(new Tensor[] {x, flag}, new Tensor[] {y});
            List<Float> answer = new ArrayList<>();
            for (int i = 0; i < y.elementCount(); i++) {
                answer.add((float) y.getReal(i));
            }
            assertThat(answer).hasSize(6);
            return answer;
        }
    }

    @Test
    void shouldWriteOverItselfWhenThatIsAskedFor() throws IOException {
        Path file = everything();
        byte[] before = Files.readAllBytes(file);
        try (OnnxFile model = OnnxFile.open(file)) {
            model.message().setText(2, "somebody else");
            model.write(file);
        }
        try (OnnxFile model = OnnxFile.open(file)) {
            assertThat(model.producer()).isEqualTo("somebody else");
            assertThat(model.message().setText(2, "make.py").byteSize()).isEqualTo(before.length);
        }
        try (var files = Files.list(file.getParent())) {
            assertThat(files).hasSize(2);
        }
    }

    @Test
    void shouldKeepThePermissionsOfTheFileThatIsReplaced() throws IOException {
        assumeThat(temp.getFileSystem().supportedFileAttributeViews()).contains("posix");
        Path file = everything();
        Path secret = Files.copy(file, file.resolveSibling("secret.onnx"));
        for (String permissions : new String[] {"rw-rw-rw-", "rw-------", "r--r-----"}) {
            Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString(permissions));
            try (OnnxFile model = OnnxFile.open(file)) {
                model.write(secret);
            }
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)))
                    .isEqualTo(permissions);
        }
    }

    @Test
    void shouldGiveANewFileThePermissionsOfTheModelAsFarAsNewFilesMayHaveThem() throws IOException {
        assumeThat(temp.getFileSystem().supportedFileAttributeViews()).contains("posix");
        Path file = everything();
        for (String permissions : new String[] {"rw-rw-rw-", "rw-r-----", "rw-------"}) {
            Set<PosixFilePermission> given = PosixFilePermissions.fromString(permissions);
            Files.setPosixFilePermissions(file, given);
            Path created = Files.createFile(
                    temp.resolve("created" + permissions), PosixFilePermissions.asFileAttribute(given));
            Path written = file.resolveSibling("written" + permissions);
            try (OnnxFile model = OnnxFile.open(file)) {
                model.write(written);
            }
            assertThat(Files.getPosixFilePermissions(written))
                    .as(permissions)
                    .isEqualTo(Files.getPosixFilePermissions(created));
        }
    }

    @Test
    void shouldReplaceNodesAndConstants() throws IOException {
        Path target = temp.resolve("model.onnx");
        try (OnnxFile model = OnnxFile.open(TestFiles.file("models/rows.onnx"))) {
            List<OnnxNode> nodes = new ArrayList<>(model.graph().nodes());
            String output = nodes.getLast().outputs().getFirst();
            nodes.getLast().message().setTexts(2, List.of("before"));
            nodes.add(new OnnxNode(new ProtoMessage()
                    .setTexts(1, List.of("before", "two"))
                    .setTexts(2, List.of(output))
                    .setText(4, "Mul")));
            List<OnnxTensor> constants = new ArrayList<>(model.graph().initializers());
            constants.add(new OnnxTensor(new ProtoMessage()
                    .setNumber(2, ElementType.FLOAT.code())
                    .setText(8, "two")
                    .setBytes(9, new byte[] {0, 0, 0, 0x40})));
            model.graph().setNodes(nodes);
            model.graph().setInitializers(constants);
            model.write(target);
        }

        double[] once = rows(TestFiles.file("models/rows.onnx"));
        double[] twice = rows(target);
        assertThat(twice).isEqualTo(Arrays.stream(once).map(value -> 2 * value).toArray());
    }

    private static double[] rows(Path file) {
        try (OnnxSession session = OnnxSession.open(file, SessionSettings.DEFAULT);
                TensorRunner runner = session.tensorRunner();
                Tensor x = new Tensor(MemoryTag.CALL, DataType.FP32);
                Tensor y = new Tensor(MemoryTag.CALL, DataType.FP32)) {
            x.reshape(1, session.inputs().getFirst().shape().get(1));
            for (int i = 0; i < x.elementCount(); i++) {
                x.setReal(i, i + 1);
            }
            runner.run(new Tensor[] {x}, new Tensor[] {y});
            double[] answer = new double[(int) y.elementCount()];
            Arrays.setAll(answer, y::getReal);
            assertThat(answer).isNotEmpty();
            return answer;
        }
    }

    @Test
    void shouldNotWriteOverOtherFilesWhenTensorsNeedTheirNames() throws IOException {
        Path file = everything();
        Path other = Files.write(temp.resolve("everything.bin"), new byte[60]);
        try (OnnxFile model = OnnxFile.open(file)) {
            assertThatThrownBy(() -> model.write(temp.resolve("model.onnx")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("is another file already");
        }
        assertThat(Files.readAllBytes(other)).isEqualTo(new byte[60]);
        assertThat(temp.resolve("model.onnx")).doesNotExist();
    }

    /// A model with tensors in two files.
    private Path two() throws IOException {
        Path folder = Files.createDirectories(temp.resolve("source"));
        OnnxGraph graph = OnnxGraph.named("two");
        List<OnnxTensor> tensors = new ArrayList<>();
        for (String name : List.of("a", "b")) {
            Files.write(folder.resolve(name), new byte[] {1, 2, 3, 4});
            ProtoMessage location = new ProtoMessage().setText(1, "location").setText(2, name);
            tensors.add(new OnnxTensor(new ProtoMessage()
                    .setNumbers(1, 1)
                    .setNumber(2, ElementType.FLOAT.code())
                    .setText(8, name)
                    .setNumber(14, 1)
                    .setMessages(13, List.of(location))));
        }
        graph.setInitializers(tensors);
        try (OnnxFile model = OnnxFile.of(graph, 8, Map.of("ai.onnx", 17L), "a test")) {
            return Files.write(folder.resolve("model.onnx"), model.toBytes());
        }
    }

    private List<String> there(String folder) throws IOException {
        try (Stream<Path> files = Files.list(temp.resolve(folder))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void shouldWriteTensorsBesideTheModelWithItsPermissions() throws IOException {
        Files.createDirectory(temp.resolve("to"));
        try (OnnxFile model = OnnxFile.open(two())) {
            Files.setPosixFilePermissions(temp.resolve("source/a"), PosixFilePermissions.fromString("rw-------"));
            model.write(temp.resolve("to/model.onnx"));
        }

        assertThat(there("to")).containsExactly("a", "b", "model.onnx");
        assertThat(temp.resolve("to/a")).hasBinaryContent(new byte[] {1, 2, 3, 4});
        assertThat(Files.getPosixFilePermissions(temp.resolve("to/a")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void shouldLeaveNothingBehindWhenItCannotBeWritten() throws IOException {
        Files.createDirectory(temp.resolve("to"));
        Files.write(temp.resolve("to/b"), new byte[9]);
        Files.createDirectories(temp.resolve("other/model.onnx/full"));
        try (OnnxFile model = OnnxFile.open(two())) {
            assertThatThrownBy(() -> model.write(temp.resolve("to/model.onnx")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("is another file already");
            assertThatThrownBy(() -> model.write(temp.resolve("other/model.onnx")))
                    .isInstanceOf(IOException.class);
        }

        assertThat(there("to")).containsExactly("b");
        assertThat(there("other")).containsExactly("model.onnx");
    }

    @Test
    void shouldNotReplaceItsTensors() throws IOException {
        try (OnnxFile model = OnnxFile.open(two())) {
            assertThatThrownBy(() -> model.write(temp.resolve("source/a")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("is to be the model, and the file with its tensors, too");
        }

        assertThat(temp.resolve("source/a")).hasBinaryContent(new byte[] {1, 2, 3, 4});
    }

    @Test
    void shouldSayWhatAFileIsWhenItIsNoModel() throws IOException {
        assertThatThrownBy(() -> OnnxFile.open(temp.resolve("none"))).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> OnnxFile.open(Files.write(temp.resolve("empty"), new byte[0])))
                .isInstanceOf(InvalidModelException.class)
                .hasMessage("the file is empty");
        assertThatThrownBy(() -> OnnxFile.open(Files.writeString(temp.resolve("page"), "<html></html>")))
                .isInstanceOf(InvalidModelException.class)
                .hasMessageContaining("a page of HTML");
        byte[] whole = Files.readAllBytes(TestFiles.file("inspect/shapes.onnx"));
        assertThatThrownBy(() -> OnnxFile.open(Files.write(temp.resolve("half"), Arrays.copyOf(whole, 5000))))
                .isInstanceOf(InvalidModelException.class)
                .hasMessageStartingWith("the file is cut off: it ends at byte 5000, expected its graph to end at");
    }
}
