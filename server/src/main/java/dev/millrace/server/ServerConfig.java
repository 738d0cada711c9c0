// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.control.ControlConfig;
import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.runtime.RuntimeConfig;
import dev.millrace.update.FeedConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/// What a server serves, and where. Immutable; start from [#of(Path...)] and change what matters.
///
/// @param repositories model folders in Triton's layout
/// @param host the address to listen on
/// @param port the port to listen on; 0 for any that is free
/// @param grpcPort the port to answer gRPC on; 0 for any that is free, [#NO_PORT] for no gRPC
/// @param eventLoops threads that talk to clients, and run models that are quick enough
/// @param limits what clients may take
/// @param clientKey the request header that tells clients apart, for [Limit#CLIENT_LIMIT]; empty for the address they
/// call
///     from, which is also for requests without that header
/// @param runtime what the runtime may use
/// @param control how the models may change
/// @param traceFolder where traces of requests are written when somebody asks for them, or null for nowhere
/// @param updates what keeps the feature store up to date
public record ServerConfig(
        List<Path> repositories,
        String host,
        int port,
        int grpcPort,
        int eventLoops,
        Limits limits,
        String clientKey,
        RuntimeConfig runtime,
        ControlConfig control,
        Path traceFolder,
        List<FeedConfig> updates) {
    /// Only this machine, unless asked for more.
    public static final String DEFAULT_HOST = "127.0.0.1";

    /// The port that this protocol's servers use.
    public static final int DEFAULT_PORT = 8000;

    /// In place of a port: that protocol is not spoken.
    public static final int NO_PORT = -1;

    /// What a header may be called, or nothing.
    private static final Pattern HEADER = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]*");

    private static final int MAX_PORT = 65535;

    /// Checks every value.
    public ServerConfig {
        repositories = List.copyOf(repositories);
        updates = List.copyOf(updates);
        if (port < 0 || port > MAX_PORT) {
            throw new IllegalArgumentException("the port must be from 0 to " + MAX_PORT + ", was " + port);
        }
        if (grpcPort < NO_PORT || grpcPort > MAX_PORT) {
            throw new IllegalArgumentException("the port of gRPC must be from 0 to " + MAX_PORT + ", was " + grpcPort);
        }
        if (eventLoops < 1) {
            throw new IllegalArgumentException("there must be at least 1 event loop, was " + eventLoops);
        }
        if (!HEADER.matcher(clientKey).matches()) {
            throw new IllegalArgumentException("the header for clients' keys cannot be called '" + clientKey + "'");
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
                NO_PORT,
                eventLoops,
                Limits.DEFAULT,
                "",
                RuntimeConfig.DEFAULT,
                ControlConfig.DEFAULT,
                null,
                List.of());
    }

    /// These values with another port; 0 for any that is free.
    public ServerConfig withPort(int other) {
        return new ServerConfig(
                repositories,
                host,
                other,
                grpcPort,
                eventLoops,
                limits,
                clientKey,
                runtime,
                control,
                traceFolder,
                updates);
    }

    /// These values with gRPC on a port; 0 for any that is free, [#NO_PORT] for no gRPC.
    public ServerConfig withGrpcPort(int other) {
        return new ServerConfig(
                repositories, host, port, other, eventLoops, limits, clientKey, runtime, control, traceFolder, updates);
    }

    /// These values with another host.
    public ServerConfig withHost(String other) {
        return new ServerConfig(
                repositories,
                other,
                port,
                grpcPort,
                eventLoops,
                limits,
                clientKey,
                runtime,
                control,
                traceFolder,
                updates);
    }

    /// These values with another number of event loops.
    public ServerConfig withEventLoops(int count) {
        return new ServerConfig(
                repositories, host, port, grpcPort, count, limits, clientKey, runtime, control, traceFolder, updates);
    }

    /// These values with another value for a limit.
    ///
    /// @param value in the limit's unit; 0 turns a time limit off
    /// @throws IllegalArgumentException if the limit cannot have that value
    public ServerConfig withLimit(Limit limit, long value) {
        return new ServerConfig(
                repositories,
                host,
                port,
                grpcPort,
                eventLoops,
                limits.with(limit, value),
                clientKey,
                runtime,
                control,
                traceFolder,
                updates);
    }

    /// These values with another header that tells clients apart; empty for their addresses.
    public ServerConfig withClientKey(String header) {
        return new ServerConfig(
                repositories, host, port, grpcPort, eventLoops, limits, header, runtime, control, traceFolder, updates);
    }

    /// These values with another configuration of the runtime.
    public ServerConfig withRuntime(RuntimeConfig other) {
        return new ServerConfig(
                repositories,
                host,
                port,
                grpcPort,
                eventLoops,
                limits,
                clientKey,
                other,
                control,
                traceFolder,
                updates);
    }

    /// These values with another way for models to change.
    public ServerConfig withControl(ControlConfig other) {
        return new ServerConfig(
                repositories,
                host,
                port,
                grpcPort,
                eventLoops,
                limits,
                clientKey,
                runtime,
                other,
                traceFolder,
                updates);
    }

    /// These values with a folder for traces of requests; null for none.
    public ServerConfig withTraceFolder(Path folder) {
        return new ServerConfig(
                repositories, host, port, grpcPort, eventLoops, limits, clientKey, runtime, control, folder, updates);
    }

    /// These values with other feeds of the feature store.
    public ServerConfig withUpdates(List<FeedConfig> feeds) {
        return new ServerConfig(
                repositories,
                host,
                port,
                grpcPort,
                eventLoops,
                limits,
                clientKey,
                runtime,
                control,
                traceFolder,
                feeds);
    }
}
