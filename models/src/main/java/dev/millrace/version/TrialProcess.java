// SPDX-License-Identifier: Apache-2.0
package dev.millrace.version;

import dev.millrace.memory.MemoryBudget;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.ProcessLimits;
import dev.millrace.memory.Tensor;
import dev.millrace.model.OnnxModel;
import dev.millrace.ort.OnnxSession;
import dev.millrace.ort.OrtFailure;
import dev.millrace.ort.TensorRunner;
import dev.millrace.ort.ValueInfo;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The program of the process in which a model is tried. It reads a [TrialTask] from its input, limits itself, loads
/// the model, runs it once and has it answer its goldens. It ends when its input does, which is when its parent does.
final class TrialProcess {
    static final int PASSED = 0;
    static final int REFUSED = 10;
    static final int MEMORY = 11;
    static final int GOLDEN = 12;
    /// Something that is not the model's fault.
    static final int FAILED = 13;

    /// Begins the line that says why.
    static final String REASON = "millrace-trial: ";

    /// For what the JVM itself takes as it goes on.
    private static final long SLACK_BYTES = 64L << 20;
    /// Less than other threads have: what just fits here fits there.
    private static final long STACK_BYTES = 768L << 10;
    /// What ONNX Runtime and the C++ library say when they are given no memory.
    private static final String[] NO_MEMORY = {"bad_alloc", "bad allocation", "Failed to allocate memory"};

    private TrialProcess() {}

    static void main() throws IOException {
        ProcessLimits.writeNoCore();
        ProcessLimits.lowerProcess();
        DataInputStream in = new DataInputStream(System.in);
        TrialTask task = TrialTask.read(in);
        ProcessLimits.limitData(Math.addExact(task.memoryBytes(), SLACK_BYTES));
        new Thread(null, () -> end(attempt(task)), "millrace-trial", STACK_BYTES).start();
        waitForEnd(in);
        Runtime.getRuntime().halt(REFUSED);
    }

    @SuppressWarnings("StatementWithEmptyBody") // nothing comes, but the end
    private static void waitForEnd(InputStream in) throws IOException {
        while (in.read() >= 0) {}
    }

    /// Ends at once: what is left to be closed need not be.
    private static void end(int code) {
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    private static int attempt(TrialTask task) {
        try {
            Goldens goldens = task.versionFolder() == null ? null : Goldens.of(task.versionFolder());
            try (OnnxModel model = OnnxModel.load(task.file(), task.settings())) {
                runOnce(model.session());
                if (goldens != null) {
                    goldens.check(model.session(), MemoryBudget.UNLIMITED);
                }
            }
            return PASSED;
        } catch (GoldenMismatch e) {
            say(e.getMessage());
            return GOLDEN;
        } catch (IOException | RuntimeException e) {
            say(e.getMessage() == null ? e.toString() : e.getMessage());
            return isMemory(e) ? MEMORY : REFUSED;
        } catch (OutOfMemoryError e) {
            say(e.toString());
            return MEMORY;
        } catch (Throwable e) { // whatever it is, its parent waits to hear of it
            say(describe(e));
            return FAILED;
        }
    }

    private static String describe(Throwable failure) {
        return failure.getCause() == null ? failure.toString() : failure + ": " + describe(failure.getCause());
    }

    private static boolean isMemory(Exception e) {
        String message = String.valueOf(e.getMessage());
        return (e instanceof OrtFailure failure && failure.isOutOfMemory())
                || Arrays.stream(NO_MEMORY).anyMatch(message::contains);
    }

    private static void say(String reason) {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.print("\n" + REASON + reason.replace("\r", "").replace('\n', ' ') + "\n");
        out.flush();
    }

    /// Runs zeros, dimensions of any size being 1. That they are refused says nothing: the model may want others.
    private static void runOnce(OnnxSession session) {
        if (session.inputs().stream().anyMatch(value -> value.kind() != ValueInfo.Kind.TENSOR)) {
            return;
        }
        Tensor[] inputs = session.inputs().stream().map(TrialProcess::zeros).toArray(Tensor[]::new);
        Tensor[] outputs = session.outputs().stream()
                .map(value -> new Tensor(MemoryTag.CALL, value.datatype()))
                .toArray(Tensor[]::new);
        try (TensorRunner runner = session.tensorRunner()) {
            runner.run(inputs, outputs);
        } catch (OrtFailure e) {
            if (isMemory(e)) {
                throw e;
            }
        } finally {
            Arrays.stream(inputs).forEach(Tensor::close);
            Arrays.stream(outputs).forEach(Tensor::close);
        }
    }

    private static Tensor zeros(ValueInfo value) {
        long[] shape =
                value.shape().stream().mapToLong(dim -> dim < 0 ? 1 : dim).toArray();
        return new Tensor(MemoryTag.CALL, value.datatype()).reshape(shape);
    }
}
