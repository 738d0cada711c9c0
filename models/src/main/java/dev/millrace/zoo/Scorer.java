// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import java.util.List;

/// A trained model: raw row in, probability out; single-threaded because of its scratch memory.
///
/// The constants are float values, as the ONNX file stores them; the arithmetic is double. That makes it an oracle for
/// engines that run the file: same numbers, better precision, no shared code.
final class Scorer {
    private final float[] mean;
    private final float[] scale;
    private final Mlp net;
    private final Mlp.Workspace workspace;

    Scorer(float[] mean, float[] scale, Mlp net) {
        this.mean = mean;
        this.scale = scale;
        this.net = net;
        this.workspace = net.new Workspace();
    }

    /// Takes means and population standard deviations from rows; a constant column is only centred.
    static Scorer standardisedBy(List<float[]> rows, Mlp net) {
        int n = rows.getFirst().length;
        double[] sum = new double[n];
        for (float[] row : rows) {
            for (int i = 0; i < n; i++) {
                sum[i] += row[i];
            }
        }
        double[] squares = new double[n];
        for (float[] row : rows) {
            for (int i = 0; i < n; i++) {
                double d = row[i] - sum[i] / rows.size();
                squares[i] += d * d;
            }
        }
        float[] mean = new float[n];
        float[] scale = new float[n];
        for (int i = 0; i < n; i++) {
            double sd = Math.sqrt(squares[i] / rows.size());
            mean[i] = (float) (sum[i] / rows.size());
            scale[i] = sd == 0 ? 1 : (float) (1 / sd);
        }
        return new Scorer(mean, scale, net);
    }

    /// Subtracted from each raw value.
    float[] mean() {
        return mean;
    }

    /// Multiplies each centred value: one over the standard deviation.
    float[] scale() {
        return scale;
    }

    Mlp net() {
        return net;
    }

    /// Writes the standardised row.
    void standardise(float[] row, double[] out) {
        for (int i = 0; i < row.length; i++) {
            out[i] = ((double) row[i] - mean[i]) * scale[i];
        }
    }

    double score(float[] row) {
        standardise(row, workspace.input());
        return Mlp.sigmoid(net.forward(workspace));
    }

    double[] scores(List<float[]> rows) {
        return rows.stream().mapToDouble(this::score).toArray();
    }
}
