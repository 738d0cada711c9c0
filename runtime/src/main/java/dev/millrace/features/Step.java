// SPDX-License-Identifier: Apache-2.0
package dev.millrace.features;

import dev.millrace.spec.DatePart;
import dev.millrace.spec.ValueKind;

/// One step of a plan: an operation with all that was learned or can be known before a row comes.
/// Which of the fields an operation uses is said at [Op].
///
/// Threads: any; it does not change once the plan is compiled.
final class Step {
    final int op;
    /// What [Explanation] calls it.
    final String label;
    /// What the value is after it.
    final ValueKind kind;

    /// What the value is before it; only for what is told of a rejected one.
    ValueKind takes;

    double a;
    double b;
    double c;
    double d;
    long n;
    long m;
    int i;
    int j;
    int k;
    boolean flag;
    boolean replace;
    double[] numbers;
    TextIndex texts;
    LongIndex integers;
    ZoneTable zone;
    DatePart part;
    /// What is done where a value turns out to be missing; null for nothing.
    Step missing;
    /// What was expected, where the step may reject.
    String expectation = "another value";

    Step(int op, String label, ValueKind kind) {
        this.op = op;
        this.label = label;
        this.kind = kind;
    }
}
