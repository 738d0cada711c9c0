// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.promise;

import java.io.IOException;
import java.util.List;

/// A server in a process of its own. Ownership: whoever started it closes it.
public interface Server extends AutoCloseable {
    /// Where it listens on this machine.
    int port();

    /// MiB of memory that it has in RAM; not a number where the system does not tell.
    double residentMebibytes();

    @Override
    void close();

    /// Starts servers.
    interface Starter {
        /// Starts one and waits until it is ready.
        ///
        /// @param arguments of `millrace`
        Server start(List<String> arguments) throws IOException;
    }
}
