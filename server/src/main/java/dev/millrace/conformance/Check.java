// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;

/// What a case does.
@FunctionalInterface
interface Check {
    /// Asks the server and looks at its answers.
    ///
    /// @return null if all was as expected; a note if it was as is also allowed
    /// @throws Unmet if it was not as expected, or cannot be tried
    /// @throws IOException if there was no answer that is HTTP
    String run(Session session) throws IOException;
}
