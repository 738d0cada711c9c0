// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// What a request's text may look like, and what is none. Stateless.
final class JsonCases {
    private static final int DEEP = 100_000;

    private JsonCases() {}

    static List<Case> all() {
        return List.of(
                Case.recommended(
                        43,
                        "json.unknown-keys",
                        Case.PRACTICE,
                        "keys that the protocol does not have are passed over",
                        JsonCases::unknownKeys),
                Case.hardening(
                        44,
                        "json.keys-twice",
                        "a key that comes twice: any answer, and the next request is answered",
                        JsonCases::keysTwice),
                Case.required(
                        45,
                        "json.key-order",
                        Case.JSON,
                        "an input's keys in every order, data first too",
                        JsonCases::keyOrder),
                Case.required(
                        46,
                        "json.white-space",
                        Case.JSON,
                        "white space between all tokens; after a byte order mark the same answer, or 400",
                        JsonCases::whiteSpace),
                Case.hardening(
                        47,
                        "json.depth",
                        "100000 brackets, as data and under an unknown key: 400 or 413",
                        JsonCases::depth),
                Case.hardening(48, "json.truncated", "a body cut off anywhere: 400", JsonCases::truncated),
                Case.hardening(
                        49, "json.no-request", "an empty body, or JSON that is no request: 400", JsonCases::noRequest));
    }

    private static String unknownKeys(Session session) throws IOException {
        InferRequest request = InferCases.request(session)
                .with("model_name", "\"other\"")
                .with("conformance", "{\"a\":[1,{\"b\":null}],\"inputs\":\"c\"}")
                .set(0, "conformance", "[[],{}]");
        return InferCases.answered(session, request);
    }

    private static String keysTwice(Session session) throws IOException {
        Subject subject = InferCases.subject(session);
        String json = subject.request().with("id", "\"a\"").json();
        String twice = "{\"id\":\"b\",\"inputs\":[]," + json.substring(1);
        Answer answer = session.infer(subject.name(), twice);
        int status = answer.status();
        if (status != 200) {
            answer.refused();
        }
        InferCases.answered(session, subject.request());
        return status == 200 ? "taken" : "refused";
    }

    private static String keyOrder(Session session) throws IOException {
        String note = null;
        for (List<String> order : orders(List.of("name", "shape", "datatype", "data"))) {
            note = InferCases.answered(session, InferCases.request(session).order(0, order));
        }
        return note;
    }

    private static List<List<String>> orders(List<String> names) {
        if (names.isEmpty()) {
            return List.of(List.of());
        }
        List<List<String>> all = new ArrayList<>();
        for (String first : names) {
            List<String> others = new ArrayList<>(names);
            others.remove(first);
            for (List<String> rest : orders(others)) {
                List<String> order = new ArrayList<>(List.of(first));
                order.addAll(rest);
                all.add(order);
            }
        }
        return all;
    }

    private static String whiteSpace(Session session) throws IOException {
        Subject subject = InferCases.subject(session);
        String json = subject.request().json();
        StringBuilder spaced = new StringBuilder(" \r\n\t");
        boolean text = false;
        for (char character : json.toCharArray()) {
            text ^= character == '"';
            boolean token = !text && "{}[],:".indexOf(character) >= 0;
            spaced.append(token ? " \n" : "").append(character).append(token ? "\t\r\n " : "");
        }
        boolean close = !session.target().isExact();
        session.infer(subject.name(), spaced.toString()).requireOutputs(subject.outputs(), close);
        Answer answer = session.infer(subject.name(), "\uFEFF" + json);
        if (answer.status() != 200) {
            answer.refused();
            return "a byte order mark is refused";
        }
        return answer.requireOutputs(subject.outputs(), close);
    }

    private static String depth(Session session) throws IOException {
        Subject subject = InferCases.subject(session);
        String deep = "[".repeat(DEEP) + "]".repeat(DEEP);
        String note = session.infer(subject.name(), subject.request().set(0, "data", deep))
                .refused(400, 413);
        InferRequest unknown = subject.request()
                .with("conformance", deep.replace("[", "{\"a\":[").replace("]", "]}"));
        Answer answer = session.infer(subject.name(), unknown);
        if (answer.status() == 200) {
            note = "passed over under an unknown key";
        } else {
            answer.refused(400, 413);
        }
        InferCases.answered(session, subject.request());
        return note;
    }

    private static String truncated(Session session) throws IOException {
        Subject subject = InferCases.subject(session);
        byte[] body = subject.request().bytes();
        String note = null;
        int step = Math.max(1, body.length / 40);
        for (int length = 1; length < body.length; length += step) {
            String other = session.send("POST", Session.inferPath(subject.name()), Arrays.copyOf(body, length))
                    .refused();
            note = note == null ? other : note;
        }
        return note;
    }

    private static String noRequest(Session session) throws IOException {
        Subject subject = InferCases.subject(session);
        String path = Session.inferPath(subject.name());
        List<String> bodies = List.of(
                "",
                " ",
                "null",
                "true",
                "1",
                "\"a\"",
                "[]",
                "{}",
                "{\"inputs\":null}",
                "{\"inputs\":{}}",
                "{\"inputs\":[]}",
                "{\"inputs\":[1]}",
                "{\"inputs\":[{}]}",
                "hello");
        String note = null;
        for (String body : bodies) {
            String other = session.post(path, body).refused();
            note = note == null ? other : note;
        }
        ByteArrayOutputStream latin = new ByteArrayOutputStream();
        latin.writeBytes("{\"id\":\"".getBytes(StandardCharsets.US_ASCII));
        latin.write(0xE9);
        latin.writeBytes(("\"," + subject.request().json().substring(1)).getBytes(StandardCharsets.UTF_8));
        Answer answer = session.send("POST", path, latin.toByteArray());
        if (answer.status() == 200) {
            return "text that is not UTF-8 is taken";
        }
        String other = answer.refused();
        return note == null ? other : note;
    }
}
