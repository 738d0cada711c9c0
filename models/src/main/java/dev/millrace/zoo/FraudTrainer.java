// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo;

import dev.millrace.zoo.payments.PaymentFeatures;
import dev.millrace.zoo.payments.PaymentFeatures.Column;
import dev.millrace.zoo.payments.PaymentSimulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/// Trains the example model `fraud` on simulated payments and writes its version folder, `model.onnx`, `goldens/` and
/// `metrics.json`, and rows to calibrate and to compare with. Single-threaded; the same bytes on every machine.
///
/// Time decides who sees what. The model is trained as of day 66, with payments of days 10 to 46 for training and of
/// days 46 to 56 for stopping early: the youngest whose labels are all known by then, since a dispute takes up to ten
/// days. The test period, days 66 to 84, is what a model that went live on day 66 would have scored. Days 0 to 10 only
/// fill the histories.
public final class FraudTrainer {
    private static final int WARM = 10;
    private static final int TRAINED_UNTIL = 46;
    private static final int VALIDATED_UNTIL = 56;
    private static final int LIVE = 66;
    private static final int END = 84;

    /// So many payments of the training period.
    private static final int CALIBRATION = 512;
    /// Of so many payments of the test period one.
    private static final int TEST_EVERY = 20;

    /// Chosen by validation loss among a dozen; a fraud weight of 2 or 5 gained nothing over 1.
    private static final AdamTrainer.Settings TRAINING = new AdamTrainer.Settings(8, 5e-4, 128, 40, 10, 1.0, 0.1);

    private final Dataset training;
    private final Dataset validation;
    private final Dataset test;

    private FraudTrainer(Dataset all) {
        this.training = all.days(WARM, TRAINED_UNTIL);
        this.validation = all.days(TRAINED_UNTIL, VALIDATED_UNTIL);
        this.test = all.days(LIVE, END);
    }

    private record Trained(Scorer scorer, AdamTrainer.Report report) {}

    /// Trains and writes into a model's folder, `models/zoo/fraud` unless named.
    public static void main(String[] args) throws IOException {
        Path model = Path.of(args.length > 0 ? args[0] : "models/zoo/fraud");
        run(model);
        System.out.println(Files.readString(model.resolve("1/metrics.json")));
    }

    /// Trains and writes into a model's folder, replacing what is there.
    static void run(Path model) throws IOException {
        FraudTrainer trainer = new FraudTrainer(Dataset.simulate(PaymentSimulator.Settings.DEFAULT));
        trainer.write(model.resolve("1"));
        trainer.writeData(Files.createDirectories(model.resolve("data")));
    }

    private void writeData(Path folder) throws IOException {
        training.every(training.size() / CALIBRATION).first(CALIBRATION).write(folder.resolve("calibration.csv"));
        test.every(TEST_EVERY).write(folder.resolve("test.csv"));
    }

    private void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Trained mlp = train(64, 32);
        Trained logistic = train();
        PaymentSimulator.Settings world = PaymentSimulator.Settings.DEFAULT;
        Files.write(
                folder.resolve("model.onnx"),
                FraudOnnx.write(
                        mlp.scorer(),
                        PaymentFeatures.names(),
                        "simulated payments, seed " + world.seed() + ", days " + WARM + " to " + TRAINED_UNTIL));
        new FraudGoldens(mlp.scorer(), folder.resolve("goldens")).write(test);
        try (FraudMetrics metrics = new FraudMetrics(folder.resolve("metrics.json"))) {
            metrics.count("seed", world.seed());
            metrics.start("splits");
            metrics.split("training", WARM, TRAINED_UNTIL, training);
            metrics.split("validation", TRAINED_UNTIL, VALIDATED_UNTIL, validation);
            metrics.split("test", LIVE, END, test);
            metrics.end();
            training(metrics, "training_mlp", mlp.report());
            training(metrics, "training_logistic", logistic.report());
            boolean[] validationLabels = validation.reportedFraud(Long.MAX_VALUE);
            boolean[] testLabels = test.reportedFraud(Long.MAX_VALUE);
            evaluate(metrics, "validation_reported", validation, validationLabels, mlp, logistic);
            evaluate(metrics, "test_reported", test, testLabels, mlp, logistic);
            evaluate(metrics, "test_truth", test, test.trueFraud(), mlp, logistic);
            metrics.recallByPattern(
                    "test_truth_share_flagged_at_fpr_1pct", mlp.scorer().scores(test.rows()), test);
        }
    }

    private Trained train(int... hidden) {
        int[] sizes = new int[hidden.length + 2];
        sizes[0] = PaymentFeatures.size();
        System.arraycopy(hidden, 0, sizes, 1, hidden.length);
        sizes[sizes.length - 1] = 1;
        Scorer scorer = Scorer.standardisedBy(training.rows(), new Mlp(sizes));
        long now = Dataset.startOf(LIVE);
        AdamTrainer.Report report = new AdamTrainer(scorer, TRAINING)
                .train(training, training.reportedFraud(now), validation, validation.reportedFraud(now));
        return new Trained(scorer, report);
    }

    private static void training(FraudMetrics metrics, String name, AdamTrainer.Report report) throws IOException {
        metrics.start(name);
        metrics.count("epochs", report.epochs());
        metrics.count("best_epoch", report.bestEpoch());
        metrics.number("best_validation_log_loss", report.bestValidationLoss());
        metrics.end();
    }

    private void evaluate(
            FraudMetrics metrics, String name, Dataset data, boolean[] labels, Trained mlp, Trained logistic)
            throws IOException {
        boolean[] known = training.reportedFraud(Dataset.startOf(LIVE));
        double rate = 0;
        for (boolean fraud : known) {
            rate += fraud ? 1.0 / known.length : 0;
        }
        double[] constant = new double[data.size()];
        Arrays.fill(constant, rate);
        double[] amounts = data.rows().stream()
                .mapToDouble(row -> row[Column.AMOUNT_LOG.ordinal()])
                .toArray();
        metrics.start(name);
        metrics.evaluation("mlp", mlp.scorer().scores(data.rows()), labels, true);
        metrics.evaluation("logistic", logistic.scorer().scores(data.rows()), labels, true);
        metrics.evaluation("amount_rule", amounts, labels, false);
        metrics.evaluation("constant_rate", constant, labels, true);
        metrics.end();
    }
}
