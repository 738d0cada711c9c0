// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Clients that ask a model all the time, each on a connection of its own, and look at every answer: it is right if the
/// number that comes first is that of the version which gave it.
///
/// Threads: one starts it, awaits and closes it.
public final class Traffic implements AutoCloseable {
    private static final Pattern ANSWER =
            Pattern.compile("\"model_version\":\"(\\d+)\".*\"data\":\\[(\\d+)(?:\\.0)?,", Pattern.DOTALL);

    private static final long PAUSE_NANOS = 300_000;

    private final int port;
    private final String request;
    private final List<Thread> clients = new ArrayList<>();
    private final AtomicLong answered = new AtomicLong();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private volatile String version = "";
    private volatile Set<String> versions = ConcurrentHashMap.newKeySet();
    private volatile boolean stopped;
    private volatile boolean endExpected;

    private Traffic(int port, String model) {
        this.port = port;
        this.request = RawClient.post("/v2/models/" + model + "/infer", Bodies.LINEAR);
    }

    /// Begins to ask.
    ///
    /// @param model one with the tensors of `linear`
    public static Traffic start(int port, String model, int clients) {
        Traffic traffic = new Traffic(port, model);
        for (int i = 0; i < clients; i++) {
            traffic.clients.add(
                    Thread.ofPlatform().daemon().name("test-client-" + i).start(traffic::ask));
        }
        return traffic;
    }

    private void ask() {
        try (RawClient client = RawClient.connect(port)) {
            while (!stopped) {
                Set<String> answering = versions;
                client.send(request);
                RawClient.Answer answer = client.read();
                Matcher matcher = ANSWER.matcher(answer.body());
                if (answer.status() == 200 && matcher.find() && matcher.group(1).equals(matcher.group(2))) {
                    version = matcher.group(1);
                    answering.add(version);
                    answered.incrementAndGet();
                    // Leaves some of the processor to what is going on.
                    LockSupport.parkNanos(PAUSE_NANOS);
                } else {
                    wrong.add(answer.toString());
                    return;
                }
            }
        } catch (RuntimeException e) {
            if (!endExpected) {
                wrong.add(e.toString());
            }
        }
    }

    /// Waits until so many more answers came, and all were right.
    public Traffic awaitMore(int answers) {
        long end = answered.get() + answers;
        while (answered.get() < end && wrong.isEmpty()) {
            LockSupport.parkNanos(100_000);
        }
        assertThat(wrong).as("failed requests").isEmpty();
        return this;
    }

    /// Waits until a version answers.
    public void awaitVersion(int number) {
        while (!version.equals(Integer.toString(number))) {
            awaitMore(1);
        }
    }

    /// From now on [#versions] tells of what is asked from now on.
    public void watchVersions() {
        versions = ConcurrentHashMap.newKeySet();
    }

    /// The versions that answered what was asked since they are watched.
    public Set<String> versions() {
        return Set.copyOf(versions);
    }

    /// From now on the server may be gone; answers that come are still to be right.
    public void expectEnd() {
        endExpected = true;
    }

    /// Stops to ask; every answer has to have been right.
    @Override
    public void close() {
        stopped = true;
        for (Thread client : clients) {
            try {
                client.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        assertThat(wrong).as("failed requests").isEmpty();
    }
}
