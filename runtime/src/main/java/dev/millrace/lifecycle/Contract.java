// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.List;

/// What those who use a model rely on: inputs and outputs by name, in their order, with datatype and shape.
public final class Contract {
    private Contract() {}

    /// Why whoever relies on `served` cannot rely on `next`; empty if they can. An input may take more shapes than
    /// before, and an output may have fewer.
    public static String breach(Signature served, Signature next) {
        String inputs = breach("inputs", served.inputs(), next.inputs(), true);
        return inputs.isEmpty() ? breach("outputs", served.outputs(), next.outputs(), false) : inputs;
    }

    private static String breach(String side, List<TensorSpec> served, List<TensorSpec> next, boolean wider) {
        boolean same = served.size() == next.size();
        for (int i = 0; same && i < served.size(); i++) {
            TensorSpec before = served.get(i);
            TensorSpec after = next.get(i);
            same = before.name().equals(after.name())
                    && before.datatype() == after.datatype()
                    && (wider ? covers(after.shape(), before.shape()) : covers(before.shape(), after.shape()));
        }
        return same ? "" : "its " + side + " are " + describe(next) + ", those that are served " + describe(served);
    }

    /// Whether `wide` allows every shape that `narrow` allows.
    private static boolean covers(List<Long> wide, List<Long> narrow) {
        boolean covers = wide.size() == narrow.size();
        for (int axis = 0; covers && axis < wide.size(); axis++) {
            covers = wide.get(axis) < 0 || wide.get(axis).equals(narrow.get(axis));
        }
        return covers;
    }

    private static String describe(List<TensorSpec> specs) {
        return specs.stream()
                .map(spec -> spec.name() + " " + spec.datatype() + spec.shape())
                .toList()
                .toString();
    }
}
