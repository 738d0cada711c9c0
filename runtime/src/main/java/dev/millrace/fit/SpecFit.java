// SPDX-License-Identifier: Apache-2.0
package dev.millrace.fit;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureProbe;
import dev.millrace.features.FeatureRow;
import dev.millrace.spec.Feature;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.spec.FeatureTemplate;
import dev.millrace.spec.FeatureTemplate.Gap;
import dev.millrace.spec.Input;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Fills the gaps of a template from rows, which it is shown in passes: a transform that comes after
/// one with a gap, in its feature or in one that its feature uses, learns from what that gives, and so
/// one pass later.
///
/// ```
/// while (fit.begin()) {
///     FeatureRow row = fit.plan().newRow(source);
///     // for each row: begin it, set its fields, and
///     fit.add(row);
///     fit.end();
/// }
/// ```
///
/// Threads: one.
public final class SpecFit {
    private final FeatureTemplate template;
    private final String[] learned;
    private final long[] counts;
    private final boolean[] exact;
    private FeaturePlan plan;
    private FeatureProbe probe;
    /// The learners of this pass by their gaps; null for the others.
    private Learner[] learners;

    private int passes;

    /// @throws IllegalArgumentException if there is no gap, or two are the same
    public SpecFit(FeatureTemplate template) {
        this.template = template;
        learned = new String[template.gaps().size()];
        counts = new long[learned.length];
        exact = new boolean[learned.length];
        if (learned.length == 0) {
            throw new IllegalArgumentException(
                    template.file() + ": nothing is to be learned, expected references without hash, 'file:NAME'");
        }
        FittedFiles.check(template);
    }

    /// Begins the next pass over all rows; whether there is one, and not all is known.
    public boolean begin() {
        if (!Arrays.asList(learned).contains(null)) {
            return false;
        }
        FeatureSpec spec = template.spec(Arrays.asList(learned));
        plan = FeaturePlan.compile(spec);
        learners = new Learner[learned.length];
        Map<String, Integer> reach = new HashMap<>();
        int[] transforms = new int[spec.features().size()];
        int[] gaps = new int[transforms.length];
        for (int i = 0; i < transforms.length; i++) {
            Feature feature = spec.features().get(i);
            gaps[i] = firstGap(feature.name());
            transforms[i] = isReady(feature, reach)
                    ? gaps[i] < 0
                            ? FeatureProbe.WHOLE
                            : template.gaps().get(gaps[i]).transform()
                    : FeatureProbe.NOT;
            reach.put(feature.name(), transforms[i]);
        }
        probe = new FeatureProbe(plan, transforms);
        for (int i = 0; i < transforms.length; i++) {
            if (transforms[i] >= 0) {
                learners[gaps[i]] = Learner.of(template.gaps().get(gaps[i]), i, probe.kind(i));
            }
        }
        passes++;
        return true;
    }

    /// The first gap of a feature that is not filled, or -1.
    private int firstGap(String feature) {
        int first = -1;
        for (int i = 0; i < learned.length; i++) {
            Gap gap = template.gaps().get(i);
            if (learned[i] == null
                    && gap.feature().equals(feature)
                    && (first < 0
                            || gap.transform() < template.gaps().get(first).transform())) {
                first = i;
            }
        }
        return first;
    }

    private static boolean isReady(Feature feature, Map<String, Integer> reach) {
        for (Input input : feature.inputs()) {
            if (input.origin() == Input.Origin.FEATURE && reach.get(input.name()) != FeatureProbe.WHOLE) {
                return false;
            }
        }
        return true;
    }

    /// The plan of this pass.
    public FeaturePlan plan() {
        return plan;
    }

    /// Learns from a row; whether it is not rejected, by a field or a view, a feature that is known
    /// wholly, or what comes before a gap. [FeatureRow#problem()] says why it is; then nothing is
    /// learned from it.
    ///
    /// @param row one of the plan's, with all fields set
    /// @throws IllegalArgumentException if nothing can be learned from a value, such as an infinite one
    public boolean add(FeatureRow row) {
        if (!probe.run(row)) {
            return false;
        }
        for (Learner learner : learners) {
            if (learner != null) {
                learner.add(probe, row);
            }
        }
        return true;
    }

    /// Ends a pass, when all rows were shown.
    ///
    /// @throws IllegalArgumentException if something cannot be learned from them
    public void end() {
        for (int i = 0; i < learners.length; i++) {
            if (learners[i] != null) {
                learned[i] = learners[i].json();
                counts[i] = learners[i].count();
                exact[i] = learners[i].isExact();
            }
        }
    }

    /// How many passes were begun.
    public int passes() {
        return passes;
    }

    /// What was learned at each gap of the template, for people.
    public List<String> told() {
        List<String> told = new ArrayList<>();
        for (int i = 0; i < learned.length; i++) {
            String what = learned[i].length() > 100 ? learned[i].substring(0, 100) + "..." : learned[i];
            told.add(template.gaps().get(i).place() + ": " + what + " of " + counts[i] + " values"
                    + (exact[i] ? "" : ", estimated"));
        }
        return told;
    }

    /// The files of state and the filled specification, when all is known.
    public FittedFiles files() {
        return new FittedFiles(template, List.of(learned));
    }
}
