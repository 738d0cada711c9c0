// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import java.util.ArrayList;
import java.util.List;

/// The protocol's extensions that work here, whatever protocol asks for them. One that works in part only is not
/// listed: a client that sees its name may rely on all of it.
final class Extensions {
    private static final List<String> ALWAYS = List.of(
            "binary_tensor_data",
            "classification",
            "logging",
            "model_configuration",
            "parameters",
            "schedule_policy",
            "statistics");

    /// Those about models that are loaded by request.
    private static final List<String> LOADS = List.of("model_repository", "model_repository(unload_dependents)");

    private Extensions() {}

    /// By their names in the server's metadata, sorted.
    ///
    /// @param loads whether models are loaded by request
    /// @param trace whether requests can be traced
    static List<String> names(boolean loads, boolean trace) {
        List<String> all = new ArrayList<>(ALWAYS);
        if (loads) {
            all.addAll(LOADS);
        }
        if (trace) {
            all.add("trace");
        }
        return all.stream().sorted().toList();
    }
}
