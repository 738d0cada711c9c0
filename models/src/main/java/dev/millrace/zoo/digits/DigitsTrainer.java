// SPDX-License-Identifier: Apache-2.0
package dev.millrace.zoo.digits;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/// Trains the example model for handwritten digits with Adam on mini-batches and writes its files; single-threaded.
///
/// A fifth of the pictures, by a seed, is held out and looked at once, when training has ended. What training sees is
/// moved by a pixel half of the time, and the steps become smaller with every pass; there is nothing to be chosen
/// meanwhile, so there is no third part.
public final class DigitsTrainer {
    private static final long SEED = 20260105;
    private static final int EPOCHS = 30;
    private static final int BATCH = 32;
    private static final double LEARNING_RATE = 2e-3;
    /// What is left of the learning rate after each pass.
    private static final double COOLING = 0.9;

    private static final double WEIGHT_DECAY = 1e-2;
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;
    /// Training pictures by which an int8 version may be calibrated.
    private static final int CALIBRATION = 256;

    private final Random random = new Random(SEED);
    private final ConvNet net = new ConvNet();
    private final double[] gradient = new double[net.parameters().length];
    private final double[] firstMoment = new double[gradient.length];
    private final double[] secondMoment = new double[gradient.length];
    private double beta1Power = 1;
    private double beta2Power = 1;

    private DigitsTrainer() {}

    /// Trains and writes into the model's folder, `models/zoo/digits` unless named, whose data it reads.
    public static void main(String[] args) throws IOException {
        Path model = Path.of(args.length > 0 ? args[0] : "models/zoo/digits");
        run(model.resolve("data/optdigits.csv.gz"), model);
        System.out.print(Files.readString(model.resolve("1/metrics.json")));
    }

    /// Trains and writes into a model's folder, replacing what is there.
    ///
    /// @param pictures all there are
    static void run(Path pictures, Path model) throws IOException {
        Path version = model.resolve("1");
        Path data = model.resolve("data");
        Digits all = Digits.read(pictures).shuffled(SEED);
        Digits test = all.part(0, all.size() / 5);
        Digits training = all.part(test.size(), all.size());
        Files.createDirectories(version);
        Files.createDirectories(data);
        Classifier classifier = new DigitsTrainer().train(training);
        new DigitsOnnx(classifier.net())
                .write(
                        version.resolve("model.onnx"),
                        training.size() + " of the 1,797 pictures of the test part of Optical Recognition of"
                                + " Handwritten Digits (UCI), seed " + SEED);
        new DigitsGoldens(classifier, version.resolve("goldens")).write(test);
        test.write(data.resolve("test.csv"));
        training.part(0, CALIBRATION).write(data.resolve("calibration.csv"));
        metrics(version.resolve("metrics.json"), classifier, training, test);
    }

    private Classifier train(Digits training) {
        net.initialise(random);
        double rate = LEARNING_RATE;
        for (int epoch = 0; epoch < EPOCHS; epoch++) {
            Digits shuffled = training.shuffled(random.nextLong());
            for (int from = 0; from < shuffled.size(); from += BATCH) {
                step(shuffled.part(from, Math.min(shuffled.size(), from + BATCH)), rate);
            }
            rate *= COOLING;
        }
        double[] parameters = net.parameters();
        for (int p = 0; p < parameters.length; p++) {
            parameters[p] = (float) parameters[p];
        }
        return new Classifier(net);
    }

    private void step(Digits batch, double rate) {
        Arrays.fill(gradient, 0);
        for (int i = 0; i < batch.size(); i++) {
            show(batch.pixels().get(i));
            double[] deltas = net.logitDeltas();
            System.arraycopy(net.forward(), 0, deltas, 0, deltas.length);
            ConvNet.softmax(deltas);
            deltas[batch.labels().get(i)] -= 1;
            for (int c = 0; c < deltas.length; c++) {
                deltas[c] /= batch.size();
            }
            net.backward(gradient);
        }
        beta1Power *= BETA1;
        beta2Power *= BETA2;
        double[] parameters = net.parameters();
        for (int p = 0; p < parameters.length; p++) {
            double g = gradient[p];
            firstMoment[p] = BETA1 * firstMoment[p] + (1 - BETA1) * g;
            secondMoment[p] = BETA2 * secondMoment[p] + (1 - BETA2) * g * g;
            double m = firstMoment[p] / (1 - beta1Power);
            double v = secondMoment[p] / (1 - beta2Power);
            parameters[p] -= rate * (m / (Math.sqrt(v) + EPSILON) + WEIGHT_DECAY * parameters[p]);
        }
    }

    /// Half of the pictures as they are, the others moved by one pixel.
    private void show(int[] pixels) {
        int direction = random.nextInt(8);
        int right = direction < 2 ? 2 * direction - 1 : 0;
        int down = direction == 2 || direction == 3 ? 2 * direction - 5 : 0;
        double[] input = net.input();
        Arrays.fill(input, 0);
        for (int y = Math.max(0, -down); y < Math.min(Digits.SIDE, Digits.SIDE - down); y++) {
            for (int x = Math.max(0, -right); x < Math.min(Digits.SIDE, Digits.SIDE - right); x++) {
                input[y * Digits.SIDE + x] = (double) pixels[(y + down) * Digits.SIDE + x + right] / Digits.INK;
            }
        }
    }

    private static void metrics(Path file, Classifier classifier, Digits training, Digits test) throws IOException {
        try (JsonGenerator out = new JsonFactory().createGenerator(Files.newBufferedWriter(file))) {
            out.setPrettyPrinter(new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n")));
            out.writeStartObject();
            out.writeNumberField("seed", SEED);
            out.writeNumberField("epochs", EPOCHS);
            out.writeNumberField("parameters", classifier.net().parameters().length);
            part(out, "training", classifier, training);
            part(out, "test", classifier, test);
            out.writeEndObject();
            out.writeRaw('\n');
        }
    }

    private static void part(JsonGenerator out, String name, Classifier classifier, Digits digits) throws IOException {
        Classifier.Score score = classifier.score(digits);
        out.writeObjectFieldStart(name);
        out.writeNumberField("pictures", digits.size());
        out.writeNumberField("accuracy", score.accuracy());
        out.writeNumberField("wrong", score.wrong());
        out.writeNumberField("log_loss", score.logLoss());
        out.writeEndObject();
    }
}
