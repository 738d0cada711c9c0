// SPDX-License-Identifier: Apache-2.0
package dev.millrace.update;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;

/// A broker of Kafka in this process, alone with its controller, on ports of this machine. It can be
/// stopped and started again, with all that it had.
///
/// Threads: one. Ownership: it has a folder until it is closed.
final class Broker implements AutoCloseable {
    private static final int ATTEMPTS = 5;

    private final Path folder;
    private final int port;
    private final int controllerPort;
    private KafkaRaftServer server;

    private Broker(Path folder, int port, int controllerPort) {
        this.folder = folder;
        this.port = port;
        this.controllerPort = controllerPort;
    }

    /// Starts one in a folder that is empty. Ports that were free are taken by others now and then
    /// before they can be used, so others are tried.
    static Broker start(Path folder) throws Exception {
        for (int attempt = 1; ; attempt++) {
            Broker broker;
            try (ServerSocket first = free();
                    ServerSocket second = free()) {
                broker = new Broker(folder.resolve("broker" + attempt), first.getLocalPort(), second.getLocalPort());
            }
            try {
                broker.format();
                broker.start();
                return broker;
            } catch (RuntimeException e) {
                broker.close();
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static ServerSocket free() throws IOException {
        return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }

    private void format() throws Exception {
        new Formatter()
                .setNodeId(1)
                .setClusterId(Uuid.randomUuid().toString())
                .setDirectories(java.util.List.of(folder.toString()))
                .setMetadataLogDirectory(folder.toString())
                .setControllerListenerName("CONTROLLER")
                .setReleaseVersion(MetadataVersion.latestProduction())
                .setPrintStream(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8))
                .run();
    }

    /// Starts it, again if it was stopped.
    void start() {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "process.roles", "broker,controller",
                "node.id", "1",
                "controller.quorum.voters", "1@127.0.0.1:" + controllerPort,
                "controller.listener.names", "CONTROLLER",
                "listeners", "PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort,
                "log.dirs", folder.toString(),
                "offsets.topic.replication.factor", "1",
                "offsets.topic.num.partitions", "1",
                "group.initial.rebalance.delay.ms", "0",
                "auto.create.topics.enable", "false"));
        server = new KafkaRaftServer(new KafkaConfig(properties, false), Time.SYSTEM);
        server.startup();
    }

    /// Stops it, in order.
    void stop() {
        server.shutdown();
        server.awaitShutdown();
        server = null;
    }

    String servers() {
        return "127.0.0.1:" + port;
    }

    @Override
    public void close() {
        if (server != null) {
            stop();
        }
    }
}
