// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;

/// How requests may come over the wire. Stateless.
final class HttpCases {
    private static final int PIPELINED = 20;
    /// Between two parts of a request, so that they are likely to be read apart.
    private static final long PAUSE_NANOS = 200_000;
    private static final Duration MOMENT = Duration.ofSeconds(2);
    private static final String TERABYTE = "1099511627776";

    private HttpCases() {}

    static List<Case> all() {
        return List.of(
                Case.required(50, "http.chunked", Case.HTTP, "a body in chunks of any size", HttpCases::chunked),
                Case.required(
                        51,
                        "http.split",
                        Case.HTTP,
                        "a request cut in two at every byte, and sent byte by byte",
                        HttpCases::split),
                Case.required(
                        52,
                        "http.pipelined",
                        Case.HTTP,
                        "requests sent without waiting for answers: answers in their order",
                        HttpCases::pipelined),
                Case.hardening(
                        53,
                        "http.oversize",
                        "a body of a terabyte is announced: refused, 413 or 400, without waiting for it",
                        HttpCases::oversize),
                Case.required(
                        68,
                        "http.expect-continue",
                        Case.HTTP,
                        "Expect: 100-continue without a body yet: 100 Continue, and then the answer",
                        HttpCases::expect),
                Case.recommended(
                        69,
                        "http.compressed-request",
                        Case.PRACTICE,
                        "a body with Content-Encoding gzip or deflate",
                        HttpCases::compressed),
                Case.required(
                        70,
                        "http.accept-encoding",
                        Case.HTTP,
                        "Accept-Encoding gzip: the same answer, compressed as its head says or not",
                        HttpCases::acceptEncoding),
                Case.required(71, "http.header-case", Case.HTTP, "names of headers in any case", HttpCases::headerCase),
                Case.required(
                        72,
                        "http.encoded-path",
                        Case.HTTP,
                        "a model's name that is percent-encoded where it need not be",
                        HttpCases::encodedPath),
                Case.hardening(
                        73,
                        "http.after-error",
                        "a good request on the connection of a refused one is answered, unless it was closed",
                        HttpCases::afterError),
                Case.recommended(74, "http.method", Case.PRACTICE, "GET of an inference path: 405", HttpCases::method));
    }

    private static String same(Session session, Answer answer) throws IOException {
        return answer.requireOutputs(
                InferCases.subject(session).outputs(), !session.target().isExact());
    }

    private static String path(Session session) throws IOException {
        return Session.inferPath(InferCases.subject(session).name());
    }

    private static String chunked(Session session) throws IOException {
        byte[] body = InferCases.request(session).bytes();
        String note = null;
        for (int size : new int[] {1, 7, 64, body.length}) {
            ByteArrayOutputStream chunks = new ByteArrayOutputStream();
            for (int from = 0; from < body.length; from += size) {
                int count = Math.min(size, body.length - from);
                chunks.writeBytes((Integer.toHexString(count) + "\r\n").getBytes(StandardCharsets.US_ASCII));
                chunks.write(body, from, count);
                chunks.writeBytes(new byte[] {'\r', '\n'});
            }
            chunks.writeBytes("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            note = same(
                    session, session.send("POST", path(session), chunks.toByteArray(), "Transfer-Encoding", "chunked"));
        }
        return note;
    }

    private static String split(Session session) throws IOException {
        byte[] request = session.request(
                "POST", path(session), InferCases.request(session).bytes());
        session.describe("POST " + path(session) + ", cut in two");
        try (Wire wire = session.connect()) {
            for (int cut = 1; cut < request.length; cut++) {
                wire.send(request, 0, cut);
                LockSupport.parkNanos(PAUSE_NANOS);
                wire.send(request, cut, request.length);
                requireSame(session, session.read(wire), "cut after " + cut + " bytes");
            }
        }
        session.describe("POST " + path(session) + ", byte by byte");
        try (Wire wire = session.connect()) {
            for (int at = 0; at < request.length; at++) {
                wire.send(request, at, at + 1);
            }
            return same(session, session.read(wire));
        }
    }

    private static void requireSame(Session session, Answer answer, String how) throws IOException {
        try {
            same(session, answer);
        } catch (Unmet e) {
            throw Unmet.because(how + ": " + e.getMessage());
        }
    }

    private static String pipelined(Session session) throws IOException {
        ByteArrayOutputStream requests = new ByteArrayOutputStream();
        for (int i = 0; i < PIPELINED; i++) {
            requests.writeBytes(session.request(
                    "POST",
                    path(session),
                    InferCases.request(session).with("id", "\"" + i + "\"").bytes()));
        }
        session.describe(PIPELINED + " times POST " + path(session));
        try (Wire wire = session.connect()) {
            wire.send(requests.toByteArray());
            for (int i = 0; i < PIPELINED; i++) {
                Answer answer = session.read(wire);
                String id = answer.response().get("id").text();
                if (!id.equals(Integer.toString(i))) {
                    throw Unmet.because("answer " + i + " is that of request " + id);
                }
                same(session, answer);
            }
        }
        return null;
    }

    private static String oversize(Session session) throws IOException {
        String path = path(session);
        session.describe("POST " + path + " [Content-Length: " + TERABYTE + "]");
        byte[] head = session.request("POST", path, new byte[0], "Content-Length", TERABYTE);
        try (Wire wire = session.connect()) {
            wire.send(head);
            if (!wire.hears(MOMENT)) {
                throw Unmet.deviates("a terabyte is waited for");
            }
            Answer answer = session.read(wire);
            String note = answer.refused(413, 400);
            InferCases.answered(session, InferCases.request(session));
            return note;
        }
    }

    private static String expect(Session session) throws IOException {
        String path = path(session);
        byte[] body = InferCases.request(session).bytes();
        byte[] whole = session.request("POST", path, body, "Expect", "100-continue");
        session.describe("POST", path, body, "Expect", "100-continue");
        try (Wire wire = session.connect()) {
            wire.send(whole, 0, whole.length - body.length);
            boolean heard = wire.hears(MOMENT);
            wire.send(body);
            Answer answer = session.read(wire);
            if (!heard || !answer.message().goneOn()) {
                throw Unmet.because("no 100 Continue came within " + MOMENT.toSeconds() + " s");
            }
            return same(session, answer);
        }
    }

    private static String compressed(Session session) throws IOException {
        byte[] body = InferCases.request(session).bytes();
        for (String coding : List.of("gzip", "deflate")) {
            Answer answer = session.send("POST", path(session), compress(coding, body), "Content-Encoding", coding);
            same(session, answer);
        }
        return null;
    }

    static byte[] compress(String coding, byte[] body) {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream out =
                coding.equals("gzip") ? new GZIPOutputStream(packed) : new DeflaterOutputStream(packed)) {
            out.write(body);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        return packed.toByteArray();
    }

    private static String acceptEncoding(Session session) throws IOException {
        Answer answer =
                session.send("POST", path(session), InferCases.request(session).bytes(), "Accept-Encoding", "gzip");
        same(session, answer);
        return answer.header("Content-Encoding") == null ? "not compressed" : null;
    }

    private static String headerCase(Session session) throws IOException {
        byte[] body = InferCases.request(session).bytes();
        String head = "POST " + session.target().address().base() + path(session) + " HTTP/1.1\r\nhOST: "
                + session.target().address().hostHeader() + "\r\ncontent-length: " + body.length
                + "\r\nCONTENT-TYPE: application/json\r\n";
        StringBuilder own = new StringBuilder();
        session.target()
                .address()
                .headers()
                .forEach((name, value) ->
                        own.append(name).append(": ").append(value).append("\r\n"));
        session.describe("POST", path(session), body, "content-length", Integer.toString(body.length));
        try (Wire wire = session.connect()) {
            wire.send((head + own + "\r\n").getBytes(StandardCharsets.UTF_8));
            return same(session, session.read(wire.send(body)));
        }
    }

    private static String encodedPath(Session session) throws IOException {
        String name = InferCases.subject(session).name();
        String encoded = "%" + Integer.toHexString(name.getBytes(StandardCharsets.UTF_8)[0] & 0xFF);
        String rest = Session.modelPath(name).substring("/v2/models/".length() + (name.charAt(0) < 128 ? 1 : 3));
        if (name.charAt(0) >= 128 || Session.modelPath(name).charAt("/v2/models/".length()) == '%') {
            throw Unmet.skipped("the model's name is encoded anyway");
        }
        return same(
                session,
                session.send(
                        "POST",
                        "/v2/models/" + encoded + rest + "/infer",
                        InferCases.request(session).bytes()));
    }

    private static String afterError(Session session) throws IOException {
        byte[] bad = "{\"inputs\":[}".getBytes(StandardCharsets.US_ASCII);
        session.describe("POST", path(session), bad);
        try (Wire wire = session.connect()) {
            wire.send(session.request("POST", path(session), bad));
            Answer refusal = session.read(wire);
            refusal.refused();
            if ("close".equalsIgnoreCase(refusal.header("Connection"))) {
                return "the connection is closed";
            }
            wire.send(session.request(
                    "POST", path(session), InferCases.request(session).bytes()));
            return same(session, session.read(wire));
        }
    }

    private static String method(Session session) throws IOException {
        return session.get(path(session)).refused(405);
    }
}
