// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// What an inference request may ask for, and what is wrong with one. Stateless.
final class InferCases {
    private static final int LONG_ID = 4096;

    private InferCases() {}

    static List<Case> all() {
        List<Case> all = new ArrayList<>(right());
        all.addAll(wrongNames());
        all.addAll(wrongShapes());
        return all;
    }

    private static List<Case> right() {
        return List.of(
                Case.required(10, "infer.flat", Case.SPECIFICATION, "flat data: the right outputs", InferCases::flat),
                Case.required(
                        11,
                        "infer.nested",
                        Case.SPECIFICATION,
                        "nested data, row by row: the same outputs",
                        InferCases::nested),
                Case.required(
                        12,
                        "infer.id",
                        Case.SPECIFICATION,
                        "the request's id comes back: plain, Unicode, of 4 KiB; an empty one too, or none",
                        InferCases::id),
                Case.recommended(13, "infer.no-id", Case.SPECIFICATION, "no id when none was sent", InferCases::noId),
                Case.required(
                        14,
                        "infer.all-outputs",
                        Case.SPECIFICATION,
                        "all outputs when none are named",
                        session -> answered(session, request(session))),
                Case.required(
                        15,
                        "infer.some-outputs",
                        Case.SPECIFICATION,
                        "the outputs that are named and no others",
                        InferCases::someOutputs),
                Case.recommended(
                        16,
                        "infer.empty-outputs",
                        Case.PRACTICE,
                        "all outputs when the list of names is empty",
                        session -> answered(session, request(session).with("outputs", "[]"))));
    }

    private static List<Case> wrongNames() {
        return List.of(
                Case.required(
                        17,
                        "infer.unknown-output",
                        Case.SPECIFICATION,
                        "an output that the model does not have: 400",
                        session -> refused(session, request(session).outputs(List.of("conformance_no_output")))),
                Case.recommended(
                        18,
                        "infer.input-twice",
                        Case.PRACTICE,
                        "an input that comes twice: 400",
                        session -> refused(
                                session,
                                request(session)
                                        .copy(
                                                0,
                                                subject(session)
                                                        .inputs()
                                                        .getFirst()
                                                        .name()))),
                Case.required(
                        19,
                        "infer.missing-input",
                        Case.SPECIFICATION,
                        "an input that does not come: 400",
                        session -> refused(session, request(session).drop(0))),
                Case.recommended(
                        20,
                        "infer.unknown-input",
                        Case.PRACTICE,
                        "an input that the model does not have: 400",
                        session -> refused(session, request(session).copy(0, "conformance_no_input"))),
                Case.required(
                        21,
                        "infer.other-datatype",
                        Case.SPECIFICATION,
                        "another datatype than the model's: 400, or the value as the model's datatype",
                        InferCases::otherDatatype),
                Case.required(
                        22,
                        "infer.no-datatype",
                        Case.SPECIFICATION,
                        "a datatype that there is not: 400",
                        session -> refused(session, request(session).set(0, "datatype", "\"FP99\""))));
    }

    private static List<Case> wrongShapes() {
        return List.of(
                Case.required(
                        23,
                        "infer.rank",
                        Case.SPECIFICATION,
                        "a shape with one more dimension, of 1: 400",
                        InferCases::rank),
                Case.required(
                        24,
                        "infer.fixed-dimension",
                        Case.SPECIFICATION,
                        "a shape that differs in a dimension that is fixed: 400",
                        InferCases::fixedDimension),
                Case.required(
                        25,
                        "infer.count",
                        Case.SPECIFICATION,
                        "fewer or more elements than the shape has: 400",
                        InferCases::count),
                Case.hardening(
                        26,
                        "infer.negative-dimension",
                        "a negative dimension: 400",
                        session -> shape(session, size -> "-" + size)),
                Case.hardening(
                        27,
                        "infer.fractional-dimension",
                        "a dimension with a fraction, or in quotes: 400",
                        InferCases::fractionalDimension),
                Case.hardening(
                        28,
                        "infer.overflowing-shape",
                        "dimensions whose product overflows 64 bits: 400",
                        InferCases::overflow),
                Case.hardening(29, "infer.ragged", "nested arrays of different lengths: 400", InferCases::ragged),
                Case.hardening(
                        30,
                        "infer.no-rows",
                        "a first dimension of 0 and no data: an empty output, or 400",
                        InferCases::noRows),
                Case.recommended(
                        31,
                        "infer.over-batch",
                        Case.PRACTICE,
                        "more rows than max_batch_size: 400, or the right answer",
                        InferCases::overBatch));
    }

    static Subject subject(Session session) throws IOException {
        return session.target().subject(session);
    }

    static InferRequest request(Session session) throws IOException {
        return subject(session).request();
    }

    /// Wants the subject's right answer to a request.
    static String answered(Session session, InferRequest request) throws IOException {
        return session.target().requireAnswer(session, request);
    }

    /// Wants the subject to refuse a request, and to answer the next one.
    static String refused(Session session, InferRequest request) throws IOException {
        return session.infer(subject(session).name(), request).refused();
    }

    private static String flat(Session session) throws IOException {
        Subject subject = subject(session);
        Answer answer = session.infer(subject.name(), subject.request());
        Json json = answer.response();
        if (!json.get("model_name").text().equals(subject.name())) {
            throw Unmet.because("model_name is " + json.get("model_name"));
        }
        if (json.has("model_version")) {
            json.get("model_version").text();
        }
        String type = answer.header("Content-Type");
        String order =
                answer.requireOutputs(subject.outputs(), !session.target().isExact());
        return type != null && type.startsWith("application/json") ? order : "Content-Type is '" + type + "'";
    }

    private static String nested(Session session) throws IOException {
        String note = answered(session, request(session).nested());
        if (session.get(Session.modelPath(Models.FIXED)).status() != 200) {
            return note;
        }
        InferRequest request = InferRequest.of(WireTensor.floats("x", List.of(2L, 3L), 1, 2, 3, 4, 5, 6));
        List<WireTensor> transposed = List.of(WireTensor.floats("y", List.of(3L, 2L), 1, 4, 2, 5, 3, 6));
        session.infer(Models.FIXED, request.nested()).requireOutputs(transposed, false);
        return note;
    }

    private static String id(Session session) throws IOException {
        Subject subject = subject(session);
        for (String id : List.of("a", "żółć 😀 \"\\ /", "x".repeat(LONG_ID))) {
            Json json = session.infer(subject.name(), subject.request().with("id", InferRequest.quote(id)))
                    .response();
            if (!json.get("id").text().equals(id)) {
                throw Unmet.because("another id came back than was sent");
            }
        }
        Json json = session.infer(subject.name(), subject.request().with("id", "\"\""))
                .response();
        if (json.has("id") && !json.get("id").text().isEmpty()) {
            throw Unmet.because("the empty id became " + json.get("id"));
        }
        return json.has("id") ? null : "an empty id is left out";
    }

    private static String noId(Session session) throws IOException {
        Json json = session.infer(subject(session).name(), request(session)).response();
        if (json.has("id")) {
            throw Unmet.because("an id came that was not sent: " + json.get("id"));
        }
        return null;
    }

    private static String someOutputs(Session session) throws IOException {
        Subject subject = subject(session);
        for (WireTensor output : subject.outputs()) {
            session.infer(subject.name(), subject.request().outputs(List.of(output.name())))
                    .requireOutputs(List.of(output), !session.target().isExact());
        }
        List<WireTensor> reversed = new ArrayList<>(subject.outputs());
        Collections.reverse(reversed);
        List<String> names = reversed.stream().map(WireTensor::name).toList();
        return session.infer(subject.name(), subject.request().outputs(names))
                .requireOutputs(reversed, !session.target().isExact());
    }

    private static String otherDatatype(Session session) throws IOException {
        Subject subject = subject(session);
        boolean real = subject.inputs().getFirst().datatype() == Datatype.FP32;
        Answer answer =
                session.infer(subject.name(), subject.request().set(0, "datatype", real ? "\"FP64\"" : "\"FP32\""));
        if (answer.status() == 200) {
            answer.requireOutputs(subject.outputs(), !session.target().isExact());
            return "the value is converted";
        }
        return answer.refused();
    }

    private static String rank(Session session) throws IOException {
        String shape = dims(subject(session).inputs().getFirst().shape());
        return refused(session, request(session).set(0, "shape", "[1" + (shape.isEmpty() ? "" : ",") + shape + "]"));
    }

    private static String dims(List<Long> shape) {
        return shape.toString().replaceAll("[\\[\\] ]", "");
    }

    private static String fixedDimension(Session session) throws IOException {
        Subject subject = subject(session);
        for (int input = 0; input < subject.inputs().size(); input++) {
            List<Long> declared = subject.shapes().get(input);
            for (int axis = 0; axis < declared.size(); axis++) {
                if (declared.get(axis) > 0) {
                    WireTensor tensor = subject.inputs().get(input);
                    List<Long> shape = new ArrayList<>(tensor.shape());
                    shape.set(axis, 2 * shape.get(axis));
                    List<Object> doubled = new ArrayList<>(tensor.elements());
                    doubled.addAll(tensor.elements());
                    WireTensor wrong = new WireTensor(tensor.name(), tensor.datatype(), shape, doubled);
                    return refused(
                            session,
                            subject.request()
                                    .set(input, "shape", shape.toString())
                                    .set(input, "data", wrong.flat()));
                }
            }
        }
        throw Unmet.skipped("no input of the model has a fixed dimension");
    }

    private static String count(Session session) throws IOException {
        WireTensor first = subject(session).inputs().getFirst();
        String data = first.flat();
        String one = data.replaceAll("[\\[\\]]", "").split(",", 2)[0];
        String more = first.elements().isEmpty() ? "[1]" : "[" + one + "," + data.substring(1);
        String note = refused(session, request(session).set(0, "data", more));
        String none = refused(session, request(session).set(0, "data", "[]"));
        return note == null ? none : note;
    }

    /// What is made of a dimension.
    private interface Wrong {
        String of(long size);
    }

    private static String shape(Session session, Wrong wrong) throws IOException {
        Subject subject = subject(session);
        int input = many(subject);
        List<Long> shape = subject.inputs().get(input).shape();
        String rest = dims(shape.subList(1, shape.size()));
        String text = "[" + wrong.of(shape.getFirst()) + (rest.isEmpty() ? "" : ",") + rest + "]";
        return refused(session, subject.request().set(input, "shape", text));
    }

    private static int many(Subject subject) {
        int input = subject.indexOfMany();
        if (input < 0) {
            throw Unmet.skipped("no input of the model has several elements");
        }
        return input;
    }

    private static String fractionalDimension(Session session) throws IOException {
        String note = shape(session, size -> size + ".5");
        String quoted = shape(session, size -> "\"" + size + "\"");
        return note == null ? quoted : note;
    }

    private static String overflow(Session session) throws IOException {
        int rank = subject(session).inputs().getFirst().shape().size();
        String huge = String.join(",", Collections.nCopies(Math.max(2, rank), "4611686018427387904"));
        String note = refused(session, request(session).set(0, "shape", "[" + huge + "]"));
        String wrapping = refused(session, request(session).set(0, "shape", "[4611686018427387904,8]"));
        return note == null ? wrapping : note;
    }

    private static String ragged(Session session) throws IOException {
        Subject subject = subject(session);
        int input = many(subject);
        WireTensor tensor = subject.inputs().get(input);
        List<Object> fewer = tensor.elements().subList(0, tensor.elements().size() - 1);
        String flat = new WireTensor(tensor.name(), tensor.datatype(), List.of((long) fewer.size()), fewer).flat();
        String first = flat.substring(1, flat.length() - 1);
        return refused(session, subject.request().set(input, "data", "[[" + first + "],[[]]]"));
    }

    private static String noRows(Session session) throws IOException {
        Subject subject = subject(session);
        InferRequest request = subject.request();
        for (int input = 0; input < subject.inputs().size(); input++) {
            List<Long> declared = subject.shapes().get(input);
            if (declared.isEmpty() || declared.getFirst() >= 0) {
                throw Unmet.skipped("the first dimension of an input is fixed");
            }
            List<Long> shape = new ArrayList<>(subject.inputs().get(input).shape());
            shape.set(0, 0L);
            request.set(input, "shape", shape.toString()).set(input, "data", "[]");
        }
        Answer answer = session.infer(subject.name(), request);
        if (answer.status() != 200) {
            answer.refused();
            return "refused with " + answer.status();
        }
        if (answer.outputs().stream().anyMatch(output -> !output.elements().isEmpty())) {
            throw Unmet.because("an output has elements");
        }
        return null;
    }

    private static String overBatch(Session session) throws IOException {
        session.target().requireModel(session, Models.BATCHED);
        List<Long> shape = List.of(Models.MAX_BATCH + 1L, 4L);
        double[] values = new double[(Models.MAX_BATCH + 1) * 4];
        double[] doubled = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
            doubled[i] = 2 * i;
        }
        Answer answer = session.infer(Models.BATCHED, InferRequest.of(WireTensor.floats("x", shape, values)));
        if (answer.status() == 200) {
            answer.requireOutputs(List.of(WireTensor.floats("y", shape, doubled)), false);
            return "answered: a request may be larger than a batch";
        }
        return answer.refused();
    }
}
