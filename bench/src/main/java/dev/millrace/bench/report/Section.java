// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.report;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/// What one part found out, for a report to show. Immutable.
public interface Section {
    /// A heading of the second level, and what is below it.
    String markdown();

    /// Writes one member of the report's object, with every measurement.
    void write(JsonGenerator json) throws IOException;

    /// What was promised and found not to be so; empty if nothing is.
    default String broken() {
        return "";
    }
}
