// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.memory.Hot;
import dev.millrace.spec.Feature;
import dev.millrace.spec.ValueKind;

/// One feature of a plan. Threads: any; it does not change once the plan is compiled.
final class FeatureSteps {
    /// The kinds of checks that are made of columns.
    static final int FINITE = 0;

    static final int NOT_NULL = 1;
    static final int BETWEEN = 2;

    /// What is done where a check fails.
    static final int REJECT = 0;

    static final int DEFAULT = 1;
    static final int CLIP = 2;

    final Feature feature;
    /// Its place among the features.
    final int index;
    /// The slots of its inputs, whether they are texts, and whether whole numbers.
    final int[] inputs;

    final boolean[] isText;
    final boolean[] isWhole;
    /// The slot that its result goes into, for others.
    final int slot;
    /// Its first column, among those of all features, whether they are written or not.
    final int first;
    /// How many columns its value has; those of indicators follow.
    final int width;

    Step[] steps;
    /// For each transform how many steps come before it, and what they give.
    int[] starts;

    ValueKind[] takes;
    /// What its result is.
    ValueKind result;

    boolean hasDefault;
    double fallback;
    /// By validation: what is checked, what is done if it fails, within which bounds, and what was
    /// expected.
    int[] checks;

    int[] onFail;
    double[] min;
    double[] max;
    String[] expectations;

    FeatureSteps(Feature feature, int index, ValueKind[] kinds, int[] inputs, int slot, int first) {
        this.feature = feature;
        this.index = index;
        this.inputs = inputs;
        this.slot = slot;
        this.first = first;
        this.width = feature.columns().width();
        isText = new boolean[inputs.length];
        isWhole = new boolean[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            isText[i] = kinds[i] == ValueKind.TEXT;
            isWhole[i] = kinds[i] == ValueKind.INTEGER;
        }
    }

    /// Whether all of its inputs are among those slots.
    @Hot
    boolean isFixed(boolean[] slots) {
        for (int input : inputs) {
            if (!slots[input]) {
                return false;
            }
        }
        return true;
    }
}
