// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.runtime.RuntimeConfig;
import java.nio.file.Path;
import java.util.List;

/// What a server serves, and where. Immutable; start from [#of(Path...)] and change what matters.
///
/// @param repositories model folders in Triton's layout
/// @param host the address to listen on
/// @param port the port to listen on; 0 for any that is free
/// @param eventLoops threads that talk to clients, and run models that are quick enough
/// @param maxBodyBytes the largest request body that is taken
/// @param runtime what the runtime may use
public record ServerConfig(
        List<Path> repositories, String host, int port, int eventLoops, int maxBodyBytes, RuntimeConfig runtime) {
    /// Only this machine, unless asked for more.
    public static final String DEFAULT_HOST = "127.0.0.1";

    /// The port that this protocol's servers use.
    public static final int DEFAULT_PORT = 8000;

    /// 64 MiB.
    public static final int DEFAULT_MAX_BODY_BYTES = 64 << 20;

    private static final int MAX_PORT = 65535;
    private static final int MAX_MAX_BODY_BYTES = 1 << 30;

    /// Checks every value.
    public ServerConfig {
        repositories = List.copyOf(repositories);
        if (port < 0 || port > MAX_PORT) {
            throw new IllegalArgumentException("the port must be from 0 to " + MAX_PORT + ", was " + port);
        }
        if (eventLoops < 1) {
            throw new IllegalArgumentException("there must be at least 1 event loop, was " + eventLoops);
        }
        if (maxBodyBytes < 1 || maxBodyBytes > MAX_MAX_BODY_BYTES) {
            throw new IllegalArgumentException(
                    "the largest body must be from 1 to " + MAX_MAX_BODY_BYTES + " bytes, was " + maxBodyBytes);
        }
    }

    /// The defaults for the models in `repositories`: on this machine only, with an event loop for every two
    /// processors.
    public static ServerConfig of(Path... repositories) {
        int eventLoops = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        return new ServerConfig(
                List.of(repositories),
                DEFAULT_HOST,
                DEFAULT_PORT,
                eventLoops,
                DEFAULT_MAX_BODY_BYTES,
                RuntimeConfig.DEFAULT);
    }

    /// These values with another port; 0 for any that is free.
    public ServerConfig withPort(int other) {
        return new ServerConfig(repositories, host, other, eventLoops, maxBodyBytes, runtime);
    }

    /// These values with another host.
    public ServerConfig withHost(String other) {
        return new ServerConfig(repositories, other, port, eventLoops, maxBodyBytes, runtime);
    }

    /// These values with another number of event loops.
    public ServerConfig withEventLoops(int count) {
        return new ServerConfig(repositories, host, port, count, maxBodyBytes, runtime);
    }

    /// These values with another limit for request bodies.
    public ServerConfig withMaxBodyBytes(int bytes) {
        return new ServerConfig(repositories, host, port, eventLoops, bytes, runtime);
    }

    /// These values with another configuration of the runtime.
    public ServerConfig withRuntime(RuntimeConfig other) {
        return new ServerConfig(repositories, host, port, eventLoops, maxBodyBytes, other);
    }
}
