// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.soak;

import dev.millrace.bench.soak.HttpLine.Answer;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/// Those who ask the server over HTTP: good ones, slow ones, and those who leave, stop halfway or send nonsense.
/// Threads: each is for one thread.
final class HttpClients {
    private static final int PIPELINE = 24;
    /// Bytes that may be sent before answers are read: they fit into the kernel's buffers, so that nobody waits for
    /// somebody who waits.
    private static final long MOST_AHEAD = 48 << 10;
    private static final long HOLD_NANOS = 2_500_000_000L;
    private static final long LONG_NANOS = 20_000_000L;
    /// Statuses of a request that was not understood, or of which too much came.
    private static final Set<Integer> REFUSALS =
            Set.of(400, 404, 405, 408, 411, 413, 414, 415, 417, 431, 501, 503, 505);

    private final int port;
    private final Pace pace;
    private final Tally tally;

    HttpClients(int port, Pace pace, Tally tally) {
        this.port = port;
        this.pace = pace;
        this.tally = tally;
    }

    /// What one client does on one connection.
    private interface Visit {
        void on(HttpLine line, SplittableRandom random) throws IOException;
    }

    /// Visits again and again. A connection that ends early is counted; one that hangs is an answer lost.
    private void visit(SplittableRandom random, boolean mayBeCut, Visit visit) {
        while (pace.goesOn()) {
            try (HttpLine line = new HttpLine(port)) {
                visit.on(line, random);
            } catch (SocketTimeoutException e) {
                tally.wrong("no answer came: lost: " + e);
            } catch (IOException e) {
                tally.cut();
                if (!mayBeCut) {
                    tally.wrong("a connection was cut that did nothing wrong: " + e);
                }
            }
            pace.pause(random);
        }
    }

    /// Sends whole requests, several before it reads, and compares every answer.
    void ask(SplittableRandom random) {
        visit(random, false, (line, draws) -> {
            int rounds = draws.nextInt(1, 200);
            for (int i = 0; i < rounds && pace.goesOn(); i++) {
                converse(line, draws, draws.nextInt(4) == 0 ? draws.nextInt(1, PIPELINE) : 1, 0);
                pace.pause(draws);
            }
        });
    }

    /// Sends many requests and takes its time to read.
    void dawdle(SplittableRandom random) {
        visit(random, false, (line, draws) -> converse(line, draws, PIPELINE, draws.nextLong(HOLD_NANOS)));
    }

    /// A request on its way.
    private record Sent(String id, Question question, boolean timed, boolean malformed, int bytes) {}

    private void converse(HttpLine line, SplittableRandom random, int count, long holdNanos) throws IOException {
        List<Sent> all = new ArrayList<>();
        long bytes = 0;
        while (all.size() < count && bytes < MOST_AHEAD) {
            Sent sent = send(line, random);
            bytes += sent.bytes;
            all.add(sent);
        }
        LockSupport.parkNanos(holdNanos);
        for (Sent sent : all) {
            judge(sent, line.receive());
        }
    }

    private Sent send(HttpLine line, SplittableRandom random) throws IOException {
        String id = Long.toHexString(random.nextLong());
        Question question = pace.question(random);
        boolean timed = random.nextInt(4) == 0;
        boolean malformed = random.nextInt(50) == 0;
        String body = question.json(id, timed ? random.nextLong(1, LONG_NANOS / 1000) : 0, random.nextInt(4));
        if (malformed) {
            body = body.replace("\"datatype\"", random.nextBoolean() ? "\"datatype" : "\"unknown\":1,\"kind\"");
        }
        byte[] bytes = HttpLine.post("/v2/models/" + question.subject().model() + "/infer", body);
        line.send(bytes);
        return new Sent(id, question, timed, malformed, bytes.length);
    }

    private void judge(Sent sent, Answer answer) {
        tally.answered(answer.status());
        Subject subject = sent.question.subject();
        String problem = null;
        boolean allowed = switch (answer.status()) {
            case 200 -> {
                problem = sent.malformed ? "malformed" : sent.question.wrong(answer.numbers());
                if (!answer.id().equals(sent.id)) {
                    problem = "it is the answer to " + answer.id() + ", expected " + sent.id;
                }
                yield problem == null;
            }
            case 400 -> sent.malformed;
            case 429 -> !sent.malformed;
            case 504 -> sent.timed || subject.hasTimeout();
            case 500, 503 -> subject.mayFail();
            default -> false;
        };
        if (!allowed) {
            tally.wrong("HTTP: a request to " + subject + " was answered " + answer
                    + (problem == null ? "" : ": " + problem));
        }
    }

    /// Sends requests and leaves before their answers, or in the middle of them.
    void leave(SplittableRandom random) {
        visit(random, true, (line, draws) -> {
            int count = draws.nextInt(1, PIPELINE);
            for (int i = 0; i < count; i++) {
                send(line, draws);
            }
            LockSupport.parkNanos(draws.nextLong(LONG_NANOS));
            if (draws.nextBoolean()) {
                line.receive();
            }
            if (draws.nextBoolean()) {
                line.reset();
            }
        });
    }

    /// Stops in the middle of a request: for good, or so long that the server may give up.
    void stopHalfway(SplittableRandom random) {
        visit(random, true, (line, draws) -> {
            Question question = Subject.WHOLE.question(draws);
            byte[] request = HttpLine.post("/v2/models/whole/infer", question.json("half", 0, 0));
            int half = draws.nextInt(request.length);
            line.send(request, 0, half);
            switch (draws.nextInt(4)) {
                case 0 -> line.reset();
                case 1 -> line.halfClose();
                default -> {
                    LockSupport.parkNanos(draws.nextLong(2 * HOLD_NANOS));
                    line.send(request, half, request.length);
                }
            }
            answeredOrRefused(line, new Sent("half", question, false, false, request.length));
        });
    }

    /// Sends what is no request, or too much.
    void talkNonsense(SplittableRandom random) {
        visit(random, true, (line, draws) -> {
            line.send(nonsense(draws));
            line.halfClose();
            Answer answer = line.receive();
            tally.answered(answer.status());
            if (!REFUSALS.contains(answer.status())) {
                tally.wrong("HTTP: nonsense was answered " + answer);
            }
        });
    }

    private void answeredOrRefused(HttpLine line, Sent sent) throws IOException {
        Answer answer = line.receive();
        if (REFUSALS.contains(answer.status())) {
            tally.answered(answer.status());
        } else {
            judge(sent, answer);
        }
    }

    private static byte[] nonsense(SplittableRandom random) {
        String path = "/v2/models/fraud/infer";
        return switch (random.nextInt(7)) {
            case 0 -> {
                byte[] bytes = new byte[random.nextInt(1, 2000)];
                random.nextBytes(bytes);
                yield bytes;
            }
            case 1 -> HttpLine.post(path, "[".repeat(random.nextInt(1, 5000)));
            case 2 -> HttpLine.post("/v2/models/nobody/infer", "{}");
            case 3 -> HttpLine.post(path, "{\"inputs\":[" + " ".repeat(Soak.MAX_BODY_BYTES) + "]}");
            case 4 ->
                ("POST " + path + " HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n{")
                        .getBytes(StandardCharsets.US_ASCII);
            case 5 ->
                ("GET /" + "a".repeat(random.nextInt(9000, 20_000)) + " HTTP/1.1\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII);
            default ->
                ("GET /v2 HTTP/1.1\r\n" + "a: b\r\n".repeat(random.nextInt(200, 400)) + "\r\n")
                        .getBytes(StandardCharsets.US_ASCII);
        };
    }

    /// Looks at what there is to see.
    void look(SplittableRandom random) {
        List<String> pages = List.of("/metrics", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/slow");
        visit(random, false, (line, draws) -> {
            String page = pages.get(draws.nextInt(pages.size()));
            line.send(HttpLine.get(page));
            Answer answer = line.receive();
            tally.answered(answer.status());
            if (answer.status() != 200) {
                tally.wrong("HTTP: " + page + " was answered " + answer);
            }
            LockSupport.parkNanos(draws.nextLong(10 * LONG_NANOS));
        });
    }
}
