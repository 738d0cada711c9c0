// SPDX-License-Identifier: Apache-2.0
package dev.millrace.compare;

import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.ArrayList;
import java.util.List;

/// What two models have in common: inputs by name, and outputs by name or, where names differ, by place. What keeps
/// them from being compared is an [IllegalArgumentException].
///
/// @param signature what both take, in the order of the one; a dimension that is fixed in one of them is fixed
/// @param outputs for each output of the one, which of the other's it is compared with
record Match(Signature signature, int[] outputs) {
    static Match of(Contestant before, Contestant after) {
        Signature one = before.signature();
        Signature other = after.signature();
        String pair = after.file() + " and " + before.file() + " cannot be compared: ";
        if (one.inputs().size() != other.inputs().size()) {
            throw new IllegalArgumentException(pair + "they have "
                    + other.inputs().size() + " and " + one.inputs().size() + " inputs");
        }
        List<TensorSpec> inputs = new ArrayList<>();
        for (TensorSpec spec : one.inputs()) {
            int index = other.inputIndex(spec.name());
            if (index < 0) {
                throw new IllegalArgumentException(pair + "the first has no input '" + spec.name() + "', it has "
                        + other.inputs().stream().map(TensorSpec::name).toList());
            }
            inputs.add(common(pair, spec, other.inputs().get(index)));
        }
        int[] partners = outputs(pair, one, other);
        List<TensorSpec> outputs = new ArrayList<>();
        for (int i = 0; i < partners.length; i++) {
            outputs.add(one.outputs().get(i));
        }
        return new Match(new Signature(inputs, outputs), partners);
    }

    private static TensorSpec common(String pair, TensorSpec one, TensorSpec other) {
        boolean same = one.datatype() == other.datatype()
                && one.shape().size() == other.shape().size();
        List<Long> shape = new ArrayList<>();
        for (int axis = 0; same && axis < one.shape().size(); axis++) {
            long a = one.shape().get(axis);
            long b = other.shape().get(axis);
            same = a == b || a < 0 || b < 0;
            shape.add(Math.max(a, b));
        }
        if (!same) {
            throw new IllegalArgumentException(pair + "input '" + one.name() + "' is " + other.datatype()
                    + other.shape() + " and " + one.datatype() + one.shape());
        }
        return new TensorSpec(one.name(), one.datatype(), shape);
    }

    private static int[] outputs(String pair, Signature one, Signature other) {
        boolean byName = one.outputs().stream().allMatch(spec -> other.outputIndex(spec.name()) >= 0);
        if (!byName && one.outputs().size() != other.outputs().size()) {
            throw new IllegalArgumentException(pair + "their outputs are "
                    + other.outputs().stream().map(TensorSpec::name).toList() + " and "
                    + one.outputs().stream().map(TensorSpec::name).toList());
        }
        int[] partners = new int[one.outputs().size()];
        for (int i = 0; i < partners.length; i++) {
            TensorSpec spec = one.outputs().get(i);
            partners[i] = byName ? other.outputIndex(spec.name()) : i;
            TensorSpec partner = other.outputs().get(partners[i]);
            if (partner.datatype().isNumeric() != spec.datatype().isNumeric()) {
                throw new IllegalArgumentException(
                        pair + "output '" + spec.name() + "' is " + partner.datatype() + " and " + spec.datatype());
            }
        }
        return partners;
    }
}
