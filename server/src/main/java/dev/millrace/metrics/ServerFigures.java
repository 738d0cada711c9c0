// SPDX-License-Identifier: Apache-2.0
package dev.millrace.metrics;

import java.util.Map;
import java.util.function.IntToLongFunction;
import java.util.function.LongSupplier;

/// What a server counts beside its runtime. Threads: any may ask.
///
/// @param answers how many HTTP requests were answered with a status
/// @param calls how many calls of gRPC ended with a code, by the code's name
/// @param limited how often something was over a limit, by the limit's name
/// @param connections how many connections are open
/// @param clients how many clients have their rows counted
public record ServerFigures(
        IntToLongFunction answers,
        Map<String, LongSupplier> calls,
        Map<String, LongSupplier> limited,
        LongSupplier connections,
        LongSupplier clients) {}
