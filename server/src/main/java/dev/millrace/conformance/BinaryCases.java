// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Tensors as bytes behind the JSON. Stateless.
final class BinaryCases {
    private static final String BINARY = "binary_tensor_data";

    private BinaryCases() {}

    static List<Case> all() {
        List<Case> all = new ArrayList<>(right());
        all.addAll(wrong());
        return all;
    }

    private static List<Case> right() {
        return List.of(
                of(54, "binary.all", "all inputs and outputs as bytes", BinaryCases::allBinary),
                of(
                        55,
                        "binary.bytes",
                        "BYTES with a length before each, also such that are not UTF-8",
                        BinaryCases::bytes),
                of(56, "binary.mixed", "bytes and JSON in one request and one answer", BinaryCases::mixed),
                of(
                        57,
                        "binary.output-default",
                        "binary_data_output holds for all outputs, and binary_data of one is stronger",
                        BinaryCases::outputDefault),
                of(
                        61,
                        "binary.raw",
                        "a header of 0: the body is the only input's bytes, and all outputs are bytes",
                        BinaryCases::raw),
                of(62, "binary.gzip", "compressed as a whole; the header counts bytes before that", BinaryCases::gzip),
                of(63, "binary.empty", "a tensor without elements, binary_data_size 0", BinaryCases::empty),
                of(
                        64,
                        "binary.lengths",
                        "the answer's header is its JSON's length, and with all binary_data_size its Content-Length",
                        BinaryCases::lengths),
                of(75, "binary.datatypes", "every datatype, to the last bit", BinaryCases::datatypes),
                of(
                        90,
                        "binary.zero-byte",
                        "BYTES with a zero byte: the same, or 400, not cut off",
                        BinaryCases::zeroByte));
    }

    private static List<Case> wrong() {
        return List.of(
                of(58, "binary.left-over", "bytes after the last input: 400", BinaryCases::leftOver),
                of(59, "binary.too-short", "fewer bytes than binary_data_size: 400", BinaryCases::tooShort),
                of(
                        60,
                        "binary.header",
                        "a header over the body's length, negative, or no number: 400",
                        BinaryCases::header),
                of(65, "binary.data-twice", "data and binary_data_size for one input: 400", BinaryCases::twice),
                of(
                        76,
                        "binary.wrong-size",
                        "a binary_data_size that is not the shape's, or broken BYTES: 400",
                        BinaryCases::wrongSize));
    }

    private static Case of(int number, String id, String expected, Check check) {
        return Case.extension(number, id, BINARY, expected, check);
    }

    private static Subject subject(Session session) throws IOException {
        return InferCases.subject(session);
    }

    /// Wants the outputs' form.
    private static void requireForm(Answer answer, List<Boolean> binary) {
        List<Json> outputs = answer.response().get("outputs").elements();
        for (int i = 0; i < Math.min(outputs.size(), binary.size()); i++) {
            Json output = outputs.get(i);
            if (Answer.isBinary(output) != binary.get(i)) {
                throw Unmet.because("output " + output.get("name") + " came as " + (binary.get(i) ? "JSON" : "bytes"));
            }
            if (Answer.isBinary(output) && output.has("data")) {
                throw Unmet.because("output " + output.get("name") + " has both data and binary_data_size");
            }
        }
        boolean any = outputs.stream().anyMatch(Answer::isBinary);
        String type = answer.header("Content-Type");
        String expected = any ? "application/octet-stream" : "application/json";
        if (type == null || !type.startsWith(expected)) {
            throw Unmet.because("Content-Type is '" + type + "', expected " + expected);
        }
        if (!any && answer.header(Answer.JSON_LENGTH) != null) {
            throw Unmet.because(Answer.JSON_LENGTH + " came without bytes");
        }
    }

    private static List<Boolean> every(Subject subject, boolean binary) {
        return subject.outputNames().stream().map(_ -> binary).toList();
    }

    private static String allBinary(Session session) throws IOException {
        Subject subject = subject(session);
        InferRequest request = subject.request().binary().outputs(subject.outputNames(), true);
        Answer answer = session.infer(subject.name(), request);
        requireForm(answer, every(subject, true));
        return answer.requireOutputs(subject.outputs(), !session.target().isExact());
    }

    private static String bytes(Session session) throws IOException {
        return identity(
                session,
                new WireTensor(
                        "x",
                        Datatype.BYTES,
                        List.of(2L, 2L),
                        List.of("", "plain", "\u0001\u00FF\u00FE", "\u00C3\u00A9")));
    }

    private static String zeroByte(Session session) throws IOException {
        WireTensor tensor = new WireTensor("x", Datatype.BYTES, List.of(1L, 1L), List.of("a\u0000b"));
        String model = Models.identity(Datatype.BYTES);
        session.target().requireModel(session, model);
        Answer answer = session.infer(model, InferRequest.of(tensor).binary().outputs(List.of("y"), true));
        if (answer.status() != 200) {
            answer.refused();
            return "zero bytes are refused";
        }
        return answer.requireOutputs(List.of(tensor.named("y")), false);
    }

    private static String identity(Session session, WireTensor tensor) throws IOException {
        String model = Models.identity(tensor.datatype());
        session.target().requireModel(session, model);
        Answer answer = session.infer(model, InferRequest.of(tensor).binary().outputs(List.of("y"), true));
        requireForm(answer, List.of(true));
        return answer.requireOutputs(List.of(tensor.named("y")), false);
    }

    private static String mixed(Session session) throws IOException {
        Subject subject = subject(session);
        if (subject.inputs().size() < 2 || subject.outputNames().size() < 2) {
            throw Unmet.skipped("the model has no two inputs and outputs");
        }
        boolean close = !session.target().isExact();
        String first = subject.outputNames().get(0);
        String second = subject.outputNames().get(1);
        for (int input = 0; input < 2; input++) {
            String outputs = "[{\"name\":" + InferRequest.quote(first) + ",\"parameters\":{\"binary_data\":"
                    + (input == 0)
                    + "}},{\"name\":" + InferRequest.quote(second) + ",\"parameters\":{\"binary_data\":" + (input == 1)
                    + "}}]";
            Answer answer = session.infer(
                    subject.name(), subject.request().binary(input).with("outputs", outputs));
            requireForm(answer, List.of(input == 0, input == 1));
            answer.requireOutputs(subject.outputs().subList(0, 2), close);
        }
        return null;
    }

    private static String outputDefault(Session session) throws IOException {
        Subject subject = subject(session);
        String wanted = "{\"binary_data_output\":true}";
        boolean close = !session.target().isExact();
        Answer omitted = session.infer(subject.name(), subject.request().with("parameters", wanted));
        requireForm(omitted, every(subject, true));
        omitted.requireOutputs(subject.outputs(), close);
        Answer overridden = session.infer(
                subject.name(), subject.request().with("parameters", wanted).outputs(subject.outputNames(), false));
        requireForm(overridden, every(subject, false));
        overridden.requireOutputs(subject.outputs(), close);
        Answer named = session.infer(
                subject.name(), subject.request().with("parameters", wanted).outputs(subject.outputNames()));
        named.requireOutputs(subject.outputs(), close);
        boolean binary =
                Answer.isBinary(named.response().get("outputs").elements().getFirst());
        requireForm(named, every(subject, binary));
        return binary ? null : "outputs that are named need their own binary_data";
    }

    private static String raw(Session session) throws IOException {
        session.target().requireModel(session, Models.BATCHED);
        byte[] body = WireTensor.floats("x", List.of(4L), 1, 2, 3, 4).bytes();
        Answer answer = session.send("POST", Session.inferPath(Models.BATCHED), body, Answer.JSON_LENGTH, "0");
        requireForm(answer, List.of(true));
        if (answer.response().has("id")) {
            throw Unmet.because("an id came that was not sent");
        }
        return answer.requireOutputs(List.of(WireTensor.floats("y", List.of(1L, 4L), 2, 4, 6, 8)), false);
    }

    private static String gzip(Session session) throws IOException {
        Subject subject = subject(session);
        InferRequest request = subject.request().binary().outputs(subject.outputNames(), true);
        String[] headers = Arrays.copyOf(request.headers(), 4);
        headers[2] = "Content-Encoding";
        headers[3] = "gzip";
        Answer answer = session.send(
                "POST", Session.inferPath(subject.name()), HttpCases.compress("gzip", request.bytes()), headers);
        headers[2] = "Accept-Encoding";
        Answer compressed = session.send("POST", Session.inferPath(subject.name()), request.bytes(), headers);
        compressed.requireOutputs(subject.outputs(), !session.target().isExact());
        return answer.requireOutputs(subject.outputs(), !session.target().isExact());
    }

    private static String empty(Session session) throws IOException {
        String model = Models.identity(Datatype.FP32);
        session.target().requireModel(session, model);
        WireTensor none = new WireTensor("x", Datatype.FP32, List.of(0L, 2L), List.of());
        return session.infer(model, InferRequest.of(none).binary().outputs(List.of("y"), true))
                .requireOutputs(List.of(none.named("y")), false);
    }

    private static String lengths(Session session) throws IOException {
        Subject subject = subject(session);
        InferRequest request =
                subject.request().outputs(subject.outputNames(), true).with("id", "\"żółć\"");
        Answer answer = session.infer(subject.name(), request);
        String length = answer.header(Answer.JSON_LENGTH);
        if (length == null || !length.matches("\\d+")) {
            throw Unmet.because(Answer.JSON_LENGTH + " is " + length);
        }
        long all = Long.parseLong(length);
        for (Json output : answer.response().get("outputs").elements()) {
            all += output.get("parameters").get("binary_data_size").number();
        }
        String content = answer.header("Content-Length");
        if (content == null) {
            return answer.message().body().length == all ? "no Content-Length came" : mismatch(all, answer);
        }
        return content.equals(Long.toString(all)) ? null : mismatch(all, answer);
    }

    private static String mismatch(long all, Answer answer) {
        throw Unmet.because(Answer.JSON_LENGTH + " and all binary_data_size are " + all + " bytes, the body is "
                + answer.message().body().length);
    }

    private static String leftOver(Session session) throws IOException {
        return InferCases.refused(session, InferCases.request(session).binary().tail(new byte[] {1}));
    }

    private static String tooShort(Session session) throws IOException {
        Subject subject = subject(session);
        InferRequest request = subject.request().binary();
        byte[] body = request.bytes();
        String path = Session.inferPath(subject.name());
        String note = session.send("POST", path, Arrays.copyOf(body, body.length - 1), request.headers())
                .refused();
        byte[] json = request.json().getBytes(StandardCharsets.UTF_8);
        String none = session.send("POST", path, json, request.headers()).refused();
        return note == null ? none : note;
    }

    private static String header(Session session) throws IOException {
        Subject subject = subject(session);
        String note = null;
        for (String length : List.of("1000000", "-1", "abc", "12abc", "99999999999999999999")) {
            String other = session.infer(
                            subject.name(), subject.request().binary().jsonLength(length))
                    .refused();
            note = note == null ? other : note;
        }
        return note;
    }

    private static String twice(Session session) throws IOException {
        WireTensor first = subject(session).inputs().getFirst();
        return InferCases.refused(session, InferCases.request(session).binary().set(0, "data", first.flat()));
    }

    private static String wrongSize(Session session) throws IOException {
        Subject subject = subject(session);
        WireTensor first = subject.inputs().getFirst();
        InferRequest wrong = subject.request()
                .remove(0, "data")
                .set(0, "parameters", "{\"binary_data_size\":" + (first.bytes().length - 1) + "}")
                .tail(Arrays.copyOf(first.bytes(), first.bytes().length - 1));
        String note = InferCases.refused(session, wrong);
        String model = Models.identity(Datatype.BYTES);
        if (session.get(Session.modelPath(model)).status() == 200) {
            byte[] broken = {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x7F, 'a'};
            InferRequest strings = InferRequest.of(new WireTensor("x", Datatype.BYTES, List.of(1L, 1L), List.of("a")))
                    .remove(0, "data")
                    .set(0, "parameters", "{\"binary_data_size\":" + broken.length + "}")
                    .tail(broken);
            session.infer(model, strings).refused();
        }
        return note;
    }

    private static String datatypes(Session session) throws IOException {
        List<WireTensor> tensors = List.of(
                new WireTensor("x", Datatype.BOOL, List.of(1L, 2L), List.of(true, false)),
                WireTensor.integers("x", Datatype.UINT8, List.of(1L, 2L), "0", "255"),
                WireTensor.integers("x", Datatype.UINT16, List.of(1L, 2L), "1", "65535"),
                WireTensor.integers("x", Datatype.UINT32, List.of(1L, 2L), "1", "4294967295"),
                WireTensor.integers("x", Datatype.UINT64, List.of(1L, 2L), "1", "18446744073709551615"),
                WireTensor.integers("x", Datatype.INT8, List.of(1L, 2L), "-128", "127"),
                WireTensor.integers("x", Datatype.INT16, List.of(1L, 2L), "-32768", "32767"),
                WireTensor.integers("x", Datatype.INT32, List.of(1L, 2L), "-2147483648", "2147483647"),
                WireTensor.integers("x", Datatype.INT64, List.of(1L, 2L), "-9223372036854775808", "-2"),
                new WireTensor("x", Datatype.FP16, List.of(1L, 3L), List.of(0.099975586f, -0f, Float.NaN)),
                new WireTensor("x", Datatype.FP32, List.of(1L, 3L), List.of(0.1f, -0f, Float.NEGATIVE_INFINITY)),
                new WireTensor("x", Datatype.FP64, List.of(1L, 3L), List.of(0.1, -0.0, Double.MIN_VALUE)));
        String note = null;
        for (WireTensor tensor : tensors) {
            note = identity(session, tensor);
        }
        WireTensor brain = new WireTensor("x", Datatype.BF16, List.of(1L, 2L), List.of(1.5f, -0f));
        if (session.get(Session.modelPath(Models.identity(Datatype.BF16))).status() != 200) {
            return "without BF16, whose model is not served";
        }
        identity(session, brain);
        return note;
    }
}
