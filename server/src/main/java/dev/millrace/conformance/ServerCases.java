// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// What a server says about itself and its models. Stateless.
final class ServerCases {
    private static final String UNKNOWN = "conformance_no_such_model";
    private static final String UNKNOWN_VERSION = "987654321";

    private ServerCases() {}

    static List<Case> all() {
        return List.of(
                Case.required(
                        1,
                        "server.metadata",
                        Case.SPECIFICATION,
                        "GET /v2: 200 with name, version and extensions, an array of strings",
                        ServerCases::metadata),
                Case.required(
                        2,
                        "server.health",
                        Case.SPECIFICATION,
                        "GET /v2/health/live and /v2/health/ready: 200",
                        ServerCases::health),
                Case.recommended(
                        3,
                        "server.health-method",
                        Case.PRACTICE,
                        "POST to them: 405 with an error",
                        ServerCases::healthMethod),
                Case.recommended(
                        4,
                        "server.unknown-path",
                        Case.PRACTICE,
                        "an unknown path: 404 with an error",
                        session -> session.get("/v2/no/such/path").refused(404)),
                Case.required(
                        5,
                        "model.metadata",
                        Case.SPECIFICATION,
                        "every input and output with name, datatype and shape, -1 for what may vary",
                        ServerCases::modelMetadata),
                Case.required(
                        6,
                        "model.metadata-version",
                        Case.SPECIFICATION,
                        "the same by a path with a version that is listed",
                        ServerCases::modelVersion),
                Case.required(
                        7,
                        "model.unknown",
                        Case.SPECIFICATION,
                        "metadata of and inference by an unknown model: 404 with an error",
                        ServerCases::unknownModel),
                Case.required(
                        8,
                        "model.unknown-version",
                        Case.SPECIFICATION,
                        "inference by an unknown version of a model: 404 with an error",
                        ServerCases::unknownVersion),
                Case.required(
                        9,
                        "model.ready",
                        Case.SPECIFICATION,
                        "ready of a model: 200; of an unknown one: 400 or more",
                        ServerCases::modelReady));
    }

    private static String metadata(Session session) throws IOException {
        Json json = session.get("/v2").ok().json();
        json.get("name").text();
        json.get("version").text();
        json.get("extensions").texts();
        return null;
    }

    private static String health(Session session) throws IOException {
        session.get("/v2/health/live").ok();
        session.get("/v2/health/ready").ok();
        return null;
    }

    private static String healthMethod(Session session) throws IOException {
        session.post("/v2/health/live", "{}").refused(405);
        return session.post("/v2/health/ready", "{}").refused(405);
    }

    private static String modelMetadata(Session session) throws IOException {
        Subject subject = session.target().subject(session);
        checkMetadata(session, subject.name());
        for (String name : session.target().present(session)) {
            checkMetadata(session, name);
        }
        if (session.target().isExact()) {
            Json json = session.get(Session.modelPath(Models.TWO)).json();
            requirePorts(json.get("inputs"), List.of("a FP32 [-1, 2]", "n INT64 [-1, 2]"));
            requirePorts(json.get("outputs"), List.of("sum FP32 [-1, 2]", "negated INT64 [-1, 2]"));
        }
        return null;
    }

    private static void checkMetadata(Session session, String model) throws IOException {
        Json json = session.get(Session.modelPath(model)).ok().json();
        if (!json.get("name").text().equals(model)) {
            throw Unmet.because("the name of model '" + model + "' is " + json.get("name"));
        }
        json.get("platform").text();
        if (json.has("versions")) {
            json.get("versions").texts();
        }
        ports(json.get("inputs"));
        ports(json.get("outputs"));
    }

    private static List<String> ports(Json list) {
        List<String> found = new ArrayList<>();
        for (Json port : list.elements()) {
            Datatype datatype = Datatype.of(port.get("datatype").text());
            List<Long> shape = port.get("shape").numbers();
            if (shape.stream().anyMatch(size -> size < -1)) {
                throw Unmet.because("'" + port.get("name").text() + "' has shape " + shape);
            }
            found.add(port.get("name").text() + " " + datatype + " " + shape);
        }
        return found;
    }

    private static void requirePorts(Json list, List<String> expected) {
        List<String> found = ports(list);
        if (!found.stream().sorted().toList().equals(expected.stream().sorted().toList())) {
            throw Unmet.because("expected " + expected + ", came " + found);
        }
    }

    private static String modelVersion(Session session) throws IOException {
        Subject subject = session.target().subject(session);
        Json json = session.target().metadata(session, subject.name());
        if (!json.has("versions") || json.get("versions").elements().isEmpty()) {
            throw Unmet.skipped("the model's metadata lists no versions");
        }
        String version = json.get("versions").texts().getLast();
        Json same = session.get(Session.modelPath(subject.name()) + "/versions/" + version)
                .ok()
                .json();
        if (!ports(same.get("inputs")).equals(ports(json.get("inputs")))) {
            throw Unmet.because("by the version the inputs are " + same.get("inputs"));
        }
        session.send(
                        "POST",
                        Session.modelPath(subject.name()) + "/versions/" + version + "/infer",
                        subject.request().bytes())
                .ok();
        session.get(Session.modelPath(subject.name()) + "/versions/" + version + "/ready")
                .ok();
        return null;
    }

    private static String unknownModel(Session session) throws IOException {
        String note = session.get(Session.modelPath(UNKNOWN)).refused(404);
        String other = session.infer(UNKNOWN, session.target().subject(session).request())
                .refused(404);
        return note == null ? other : note;
    }

    private static String unknownVersion(Session session) throws IOException {
        Subject subject = session.target().subject(session);
        String path = Session.modelPath(subject.name()) + "/versions/" + UNKNOWN_VERSION;
        String note = session.get(path).refused(404);
        String other =
                session.send("POST", path + "/infer", subject.request().bytes()).refused(404);
        return note == null ? other : note;
    }

    private static String modelReady(Session session) throws IOException {
        Subject subject = session.target().subject(session);
        session.get(Session.modelPath(subject.name()) + "/ready").ok();
        int status = session.get(Session.modelPath(UNKNOWN) + "/ready").status();
        if (status < 400) {
            throw Unmet.because("expected 400 or more, came " + status);
        }
        return null;
    }
}
