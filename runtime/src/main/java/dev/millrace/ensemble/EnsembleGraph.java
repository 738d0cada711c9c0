// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ensemble;

import dev.millrace.model.EnsembleConfig;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/// The steps of an ensemble, checked: every tensor has one producer and fits whoever takes it, and no step waits for
/// itself.
///
/// Threads: immutable, any.
public final class EnsembleGraph {
    /// The producer of the ensemble's own inputs.
    static final int REQUEST = -1;

    /// Where a tensor comes from.
    ///
    /// @param step the step that gives it, or [#REQUEST]
    /// @param index its position among the step's mapped outputs, or among the ensemble's inputs
    record Source(int step, int index) {}

    /// A step.
    ///
    /// @param label what errors call it
    /// @param inputs names of the model's inputs
    /// @param sources for each of them, where it comes from
    /// @param shared for each of them, whether others take the same tensor
    /// @param outputs names of the model's outputs that are mapped
    /// @param followers steps that take any of them
    /// @param awaited how many steps it takes tensors of
    record Step(
            String label,
            List<String> inputs,
            List<Source> sources,
            List<Boolean> shared,
            List<String> outputs,
            int[] followers,
            int awaited) {}

    private record Tensor(String where, TensorSpec spec, Source source) {}

    private final EnsembleConfig config;
    private final List<Signature> signatures;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    private final Map<Source, Integer> uses = new HashMap<>();
    private final List<Step> steps = new ArrayList<>();
    private final List<Source> outputs = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    private EnsembleGraph(EnsembleConfig config, List<Signature> signatures) {
        this.config = config;
        this.signatures = signatures;
    }

    /// Checks an ensemble.
    ///
    /// @param signatures of the steps' models
    /// @throws IllegalArgumentException naming the tensor and the steps that do not go together
    public static EnsembleGraph of(EnsembleConfig config, List<Signature> signatures) {
        EnsembleGraph graph = new EnsembleGraph(config, signatures);
        graph.produce();
        graph.consume();
        graph.give();
        graph.connect();
        graph.checkCycles();
        graph.checkUnused();
        return graph;
    }

    /// What errors call a step.
    public static String label(EnsembleConfig config, int step) {
        return "step " + (step + 1) + ", model '" + config.steps().get(step).model() + "'";
    }

    /// The steps, in the order of the file.
    List<Step> steps() {
        return steps;
    }

    /// Where the ensemble's outputs come from.
    List<Source> outputs() {
        return outputs;
    }

    /// What has no effect, one sentence each.
    public List<String> warnings() {
        return List.copyOf(warnings);
    }

    private String label(int step) {
        return label(config, step);
    }

    private void produce() {
        List<TensorSpec> inputs = config.signature().inputs();
        for (int i = 0; i < inputs.size(); i++) {
            TensorSpec spec = inputs.get(i);
            add(spec.name(), new Tensor("input '" + spec.name() + "' of the ensemble", spec, new Source(REQUEST, i)));
        }
        for (int step = 0; step < config.steps().size(); step++) {
            int index = 0;
            for (Map.Entry<String, String> entry :
                    config.steps().get(step).outputs().entrySet()) {
                TensorSpec spec = find(step, signatures.get(step).outputs(), entry.getKey(), "output");
                String where = "output '" + entry.getKey() + "' of " + label(step);
                add(entry.getValue(), new Tensor(where, spec, new Source(step, index++)));
            }
        }
    }

    private void add(String name, Tensor tensor) {
        Tensor before = tensors.putIfAbsent(name, tensor);
        if (before != null) {
            throw new IllegalArgumentException("tensor '" + name + "' comes from " + before.where() + " and from "
                    + tensor.where() + ", expected one of them");
        }
    }

    private TensorSpec find(int step, List<TensorSpec> specs, String name, String kind) {
        return specs.stream()
                .filter(spec -> spec.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(label(step) + " has no " + kind + " '" + name
                        + "', expected one of "
                        + specs.stream().map(TensorSpec::name).toList()));
    }

    private void consume() {
        for (int step = 0; step < config.steps().size(); step++) {
            Map<String, String> map = config.steps().get(step).inputs();
            List<TensorSpec> specs = signatures.get(step).inputs();
            for (String name : map.keySet()) {
                find(step, specs, name, "input");
            }
            List<Source> sources = new ArrayList<>();
            for (TensorSpec spec : specs) {
                String from = map.get(spec.name());
                if (from == null) {
                    throw new IllegalArgumentException(label(step) + " has no tensor for its input '" + spec.name()
                            + "', expected it in input_map");
                }
                sources.add(use(from, spec, "input '" + spec.name() + "' of " + label(step)));
            }
            List<String> inputs = specs.stream().map(TensorSpec::name).toList();
            List<String> mapped = List.copyOf(config.steps().get(step).outputs().keySet());
            steps.add(new Step(label(step), inputs, sources, List.of(), mapped, new int[0], 0));
        }
    }

    private Source use(String name, TensorSpec wanted, String where) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' for " + where + " is given by nobody, expected one of " + tensors.keySet());
        }
        TensorSpec given = tensor.spec();
        if (given.datatype() != wanted.datatype() || !fit(given.shape(), wanted.shape())) {
            throw new IllegalArgumentException("tensor '" + name + "' from " + tensor.where() + " is "
                    + given.datatype() + " of shape " + given.shape() + ", " + where + " is " + wanted.datatype()
                    + " of shape " + wanted.shape());
        }
        uses.merge(tensor.source(), 1, Integer::sum);
        return tensor.source();
    }

    private static boolean fit(List<Long> given, List<Long> wanted) {
        if (given.size() != wanted.size()) {
            return false;
        }
        for (int axis = 0; axis < given.size(); axis++) {
            if (given.get(axis) >= 0
                    && wanted.get(axis) >= 0
                    && !given.get(axis).equals(wanted.get(axis))) {
                return false;
            }
        }
        return true;
    }

    private void give() {
        for (TensorSpec spec : config.signature().outputs()) {
            Source source = use(spec.name(), spec, "output '" + spec.name() + "' of the ensemble");
            if (source.step() == REQUEST) {
                throw new IllegalArgumentException("output '" + spec.name()
                        + "' of the ensemble is one of its inputs, expected a step to give it");
            }
            outputs.add(source);
        }
    }

    /// Who follows whom, now that all is known.
    private void connect() {
        for (int step = 0; step < steps.size(); step++) {
            Step each = steps.get(step);
            TreeSet<Integer> followers = new TreeSet<>();
            for (int other = 0; other < steps.size(); other++) {
                int producer = step;
                if (steps.get(other).sources().stream().anyMatch(source -> source.step() == producer)) {
                    followers.add(other);
                }
            }
            long awaited = each.sources().stream()
                    .mapToInt(Source::step)
                    .filter(from -> from != REQUEST)
                    .distinct()
                    .count();
            steps.set(
                    step,
                    new Step(
                            each.label(),
                            each.inputs(),
                            each.sources(),
                            each.sources().stream()
                                    .map(source -> uses.get(source) > 1)
                                    .toList(),
                            each.outputs(),
                            followers.stream().mapToInt(Integer::intValue).toArray(),
                            (int) awaited));
        }
    }

    private void checkCycles() {
        int[] left = steps.stream().mapToInt(Step::awaited).toArray();
        List<Integer> done = new ArrayList<>();
        for (int step = 0; step < left.length; step++) {
            if (left[step] == 0) {
                done.add(step);
            }
        }
        for (int i = 0; i < done.size(); i++) {
            for (int follower : steps.get(done.get(i)).followers()) {
                if (--left[follower] == 0) {
                    done.add(follower);
                }
            }
        }
        if (done.size() < left.length) {
            List<String> cycle = new ArrayList<>();
            for (int step = 0; step < left.length; step++) {
                if (left[step] > 0) {
                    cycle.add(label(step));
                }
            }
            throw new IllegalArgumentException("steps wait for one another in a cycle: " + String.join("; ", cycle));
        }
    }

    private void checkUnused() {
        tensors.forEach((name, tensor) -> {
            if (!uses.containsKey(tensor.source())) {
                if (tensor.source().step() == REQUEST) {
                    throw new IllegalArgumentException(tensor.where() + " is used by no step, expected one");
                }
                warnings.add("tensor '" + name + "' from " + tensor.where() + " is used by nobody");
            }
        });
    }

    @Override
    public String toString() {
        return Arrays.toString(steps.stream().map(Step::label).toArray());
    }
}
