// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trees;

import dev.millrace.onnx.OnnxFile;
import java.io.IOException;
import java.nio.file.Path;

/// Imports ensembles of decision trees. Every row of floats takes the way through each tree that it takes in the
/// library, whether on a bound, beside it, NaN or infinite. The sums are of floats: of LightGBM's, which are of
/// doubles, they differ in the last digits.
///
/// The model takes rows of floats, `[batch, features]`. For objectives with classes it gives `label` and
/// `probabilities`, of two classes both of them; otherwise `y`, `[batch, 1]` or a column for each sum.
///
/// Stateless. The caller closes what it gets.
public final class TreeImport {
    /// What the nodes of any ensemble may take, and how much more for each byte of the file.
    private static final long ALLOWANCE = 128L << 20;

    private static final long ALLOWANCE_PER_BYTE = 8;

    private TreeImport() {}

    /// From the text that LightGBM's `save_model` writes.
    ///
    /// @throws IOException if it cannot be read
    /// @throws InvalidDumpException if it is no such text, or of a kind that cannot be imported
    public static OnnxFile lightGbm(Path dump, ImportOptions options) throws IOException {
        return lightGbm(DumpText.read(dump), options);
    }

    /// From the JSON that XGBoost's `save_model` writes.
    ///
    /// @throws IOException if it cannot be read
    /// @throws InvalidDumpException if it is no such JSON, or of a kind that cannot be imported
    public static OnnxFile xgboost(Path dump, ImportOptions options) throws IOException {
        return xgboost(DumpText.read(dump), options);
    }

    static OnnxFile lightGbm(byte[] dump, ImportOptions options) {
        return model(new LightGbmDump(DumpText.text(dump)).read(), options, dump.length);
    }

    static OnnxFile xgboost(byte[] dump, ImportOptions options) {
        return model(XgboostDump.read(dump), options, dump.length);
    }

    private static OnnxFile model(Ensemble ensemble, ImportOptions options, long length) {
        return TreeGraph.of(ensemble, options, ALLOWANCE + ALLOWANCE_PER_BYTE * length);
    }
}
