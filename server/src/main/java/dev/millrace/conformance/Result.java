// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

/// What came of a case.
///
/// @param test the case
/// @param verdict what became of it
/// @param sent the last request, in short; empty if there was none
/// @param came the last answer, in short; empty if there was none
/// @param note why, or how else; empty if there is nothing to say
/// @param millis how long it took
record Result(Case test, Verdict verdict, String sent, String came, String note, long millis) {
    /// Whether the server is not what it says it is because of this.
    boolean breaksSpecification() {
        return verdict == Verdict.FAILED && test.level() == Level.REQUIRED;
    }

    boolean isUnmet() {
        return verdict == Verdict.FAILED || verdict == Verdict.DEVIATES;
    }
}
