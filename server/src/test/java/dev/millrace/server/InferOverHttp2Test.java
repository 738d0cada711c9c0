// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import org.junit.jupiter.api.extension.ExtendWith;

/// The same in HTTP/2, by a client that asks for it.
@ExtendWith(TestServer.OverHttp2.class)
class InferOverHttp2Test extends InferTest {}
