// SPDX-License-Identifier: Apache-2.0
import java.io.*;
import java.nio.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.zip.GZIPOutputStream;
import ml.dmlc.xgboost4j.java.*;

/// Makes xgboost-* and, with xgboost4j 3.4.0, xgboost3-*: java -cp JARS Make.java JAVA WORK [3], in this folder, after
/// make.py. JARS are ml.dmlc:xgboost4j_2.13:2.1.4 or ml.dmlc:xgboost4j_2.12:3.4.0, com.esotericsoftware:kryo:4.0.2,
/// commons-logging:1.2 and scala-library:2.13.11.
///
/// NAME.json.gz is what XGBoost saves; of the larger ones without what says how they were grown. NAME.f32.gz are the
/// sums and then the predictions for the rows that TreeRows makes of the dump.
public class Make {
    static final int N = 6000, F = 12;
    static float[] x = new float[N * F];
    static float[][] y = new float[3][N];
    static final String ROWS = "../../java/dev/millrace/trees/TreeRows.java";
    static String java, work;

    static DMatrix matrix(float[] rows, int n) throws XGBoostError {
        DMatrix m = new DMatrix(rows, n, F, Float.NaN);
        String[] types = new String[F];
        for (int i = 0; i < F; i++) types[i] = i >= 9 ? "c" : "q";
        m.setFeatureTypes(types);
        return m;
    }

    static void make(String name, float[] label, int rounds, int rows, boolean strip, Object... params)
            throws Exception {
        Map<String, Object> p = new HashMap<>(Map.of("nthread", 1, "seed", 7, "tree_method", "hist", "verbosity", 1));
        for (int i = 0; i < params.length; i += 2) p.put((String) params[i], params[i + 1]);
        DMatrix train = matrix(x, N);
        train.setLabel(label);
        Booster booster = XGBoost.train(train, p, rounds, new HashMap<>(), null, null);
        Path dump = Path.of(work, name + ".json");
        booster.saveModel(dump.toString());
        String text = Files.readString(dump);
        if (strip) {
            text = text.replaceAll("\"(base_weights|loss_changes|parents|sum_hessian)\":\\[[^]]*],", "");
            Files.writeString(dump, text);
        }
        new ProcessBuilder(java, ROWS, dump.toString(), "" + rows, "finite", work + "/rows.bin")
                .inheritIO()
                .start()
                .waitFor();
        float[] asked = new float[rows * F];
        ByteBuffer.wrap(Files.readAllBytes(Path.of(work, "rows.bin")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(asked);
        DMatrix m = matrix(asked, rows);
        float[][] raw = booster.predict(m, true);
        float[][] out = booster.predict(m);
        ByteBuffer bytes =
                ByteBuffer.allocate(4 * rows * (raw[0].length + out[0].length)).order(ByteOrder.LITTLE_ENDIAN);
        for (float[] r : raw) for (float v : r) bytes.putFloat(v);
        for (float[] r : out) for (float v : r) bytes.putFloat(v);
        gz(name + ".json.gz", text.getBytes(StandardCharsets.UTF_8));
        gz(name + ".f32.gz", bytes.array());
    }

    static void gz(String file, byte[] bytes) throws IOException {
        try (OutputStream out = new GZIPOutputStream(new FileOutputStream(file)) {
            {
                def.setLevel(9);
            }
        }) {
            out.write(bytes);
        }
    }

    public static void main(String[] a) throws Exception {
        java = a[0];
        work = a[1];
        FloatBuffer all = ByteBuffer.wrap(Files.readAllBytes(Path.of(work, "train.bin")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < F; j++) x[i * F + j] = all.get();
            for (int k = 0; k < 3; k++) y[k][i] = all.get();
        }
        if (a.length > 2) {
            make("xgboost3-binary", y[0], 10, 2000, false, "objective", "binary:logistic", "max_depth", 4);
            make(
                    "xgboost3-multiclass",
                    y[1],
                    5,
                    2000,
                    false,
                    "objective",
                    "multi:softprob",
                    "num_class",
                    3,
                    "max_depth",
                    3);
            return;
        }
        make(
                "xgboost-binary-500x8",
                y[0],
                500,
                10000,
                true,
                "objective",
                "binary:logistic",
                "max_depth",
                8,
                "max_leaves",
                40,
                "grow_policy",
                "lossguide",
                "eta",
                0.03,
                "max_cat_to_onehot",
                4);
        make(
                "xgboost-multiclass-102x6",
                y[1],
                34,
                10000,
                true,
                "objective",
                "multi:softprob",
                "num_class",
                3,
                "max_depth",
                6,
                "max_leaves",
                31,
                "grow_policy",
                "lossguide",
                "eta",
                0.2,
                "max_cat_to_onehot",
                4);
        make(
                "xgboost-dart-poisson",
                y[2],
                20,
                2000,
                false,
                "objective",
                "count:poisson",
                "booster",
                "dart",
                "rate_drop",
                0.3,
                "max_depth",
                4,
                "base_score",
                1.5);
        make(
                "xgboost-regression",
                y[2],
                10,
                2000,
                false,
                "objective",
                "reg:squarederror",
                "max_depth",
                4,
                "max_cat_to_onehot",
                200);
    }
}
