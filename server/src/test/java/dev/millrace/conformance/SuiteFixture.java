// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What tests of other packages need of the suite: the ids of its cases, and its models. Stateless.
public final class SuiteFixture {
    private SuiteFixture() {}

    /// All cases, by their numbers.
    public static List<String> ids() {
        return Suite.cases().stream().map(Case::id).toList();
    }

    /// Writes the models that the cases know the answers of.
    public static void writeModels(Path repository) {
        try {
            Models.write(repository);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Writes a model with an output `out_RANK` that is its input `in_RANK` for each rank from 0 on, of any dimensions.
    ///
    /// @param datatype as the protocol has it
    public static void writeEcho(Path repository, String model, String datatype, int maxRank) {
        Datatype type = Datatype.of(datatype);
        OnnxFile file = new OnnxFile(model);
        for (int rank = 0; rank <= maxRank; rank++) {
            List<String> dims = new ArrayList<>();
            for (int axis = 0; axis < rank; axis++) {
                dims.add("d" + rank + "_" + axis);
            }
            file.input("in_" + rank, type, dims)
                    .output("out_" + rank, type, dims)
                    .node("Identity", "out_" + rank, "in_" + rank);
        }
        try {
            Path version = Files.createDirectories(repository.resolve(model).resolve("1"));
            Files.write(version.resolve("model.onnx"), file.bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
