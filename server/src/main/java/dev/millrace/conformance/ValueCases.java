// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// Values that go in and come out unchanged, and those that a datatype does not have. Stateless.
final class ValueCases {
    private static final Object[] NOTHING = {};

    private ValueCases() {}

    static List<Case> all() {
        List<Case> all = new ArrayList<>(integers());
        all.addAll(floats());
        all.addAll(others());
        return all;
    }

    private static List<Case> integers() {
        return List.of(
                Case.required(
                        32,
                        "values.int64",
                        Case.SPECIFICATION,
                        "INT64 up to its ends, and beyond what a double holds, to the last digit",
                        session -> integers(
                                session,
                                Datatype.INT64,
                                "-9223372036854775808",
                                "9223372036854775807",
                                "9007199254740993",
                                "-9007199254740993")),
                Case.required(
                        33,
                        "values.uint64",
                        Case.SPECIFICATION,
                        "UINT64 up to 18446744073709551615",
                        session ->
                                integers(session, Datatype.UINT64, "18446744073709551615", "9223372036854775808", "0")),
                Case.recommended(
                        34,
                        "values.out-of-range",
                        Case.PRACTICE,
                        "an integer that its datatype does not have: 400, not another value",
                        ValueCases::outOfRange));
    }

    private static List<Case> floats() {
        return List.of(
                Case.recommended(
                        35,
                        "values.fp32-too-large",
                        Case.PRACTICE,
                        "1e39 as FP32: 400, or infinity",
                        ValueCases::tooLarge),
                Case.recommended(
                        36,
                        "values.not-finite",
                        Case.PRACTICE,
                        "NaN, Infinity and -Infinity as bare words: the same values, or 400",
                        ValueCases::notFinite),
                Case.required(
                        37,
                        "values.fp32",
                        Case.SPECIFICATION,
                        "FP32 to the last bit, compared as FP32",
                        session -> echo(
                                session,
                                Datatype.FP32,
                                0.1f,
                                1.0000001f,
                                Float.MAX_VALUE,
                                -Float.MIN_NORMAL,
                                16777217f,
                                3.1415927f)),
                Case.recommended(
                        38,
                        "values.negative-zero",
                        Case.PRACTICE,
                        "-0.0 keeps its sign",
                        session -> echo(session, Datatype.FP32, -0f, 0f)),
                Case.recommended(
                        39,
                        "values.denormal",
                        Case.PRACTICE,
                        "numbers below the smallest normal one",
                        session -> echo(session, Datatype.FP32, Float.MIN_VALUE, -1e-40f, 1e-38f)));
    }

    private static List<Case> others() {
        return List.of(
                Case.required(
                        40,
                        "values.bool",
                        Case.SPECIFICATION,
                        "true and false; 1 for a BOOL and true for a number: 400, or their values",
                        ValueCases::bool),
                Case.required(
                        41,
                        "values.bytes",
                        Case.SPECIFICATION,
                        "BYTES as strings: escapes, surrogate pairs, an empty one",
                        ValueCases::bytes),
                Case.required(42, "values.fp16", Case.SPECIFICATION, "FP16 as numbers, or 400", ValueCases::half),
                Case.required(
                        66,
                        "values.integers",
                        Case.SPECIFICATION,
                        "integers of 8, 16 and 32 bits up to their ends",
                        ValueCases::smallIntegers),
                Case.required(
                        67,
                        "values.fp64",
                        Case.SPECIFICATION,
                        "FP64 to the last bit",
                        session -> echo(
                                session, Datatype.FP64, 0.1, 0.30000000000000004, Double.MAX_VALUE, 4.9e-324, 1e22)));
    }

    /// Sends elements as JSON and wants them back.
    private static String echo(Session session, Datatype datatype, Object... values) throws IOException {
        return send(session, datatype, List.of(1L, (long) values.length), List.of(values));
    }

    private static String send(Session session, Datatype datatype, List<Long> shape, List<Object> values)
            throws IOException {
        String model = Models.identity(datatype);
        session.target().requireModel(session, model);
        WireTensor tensor = new WireTensor("x", datatype, shape, values);
        return session.infer(model, InferRequest.of(tensor)).requireOutputs(List.of(tensor.named("y")), false);
    }

    private static String integers(Session session, Datatype datatype, String... values) throws IOException {
        WireTensor tensor = WireTensor.integers("x", datatype, List.of(1L, (long) values.length), values);
        return echo(session, datatype, tensor.elements().toArray(NOTHING));
    }

    /// Sends one element as the text that it is.
    private static Answer one(Session session, Datatype datatype, String json) throws IOException {
        String model = Models.identity(datatype);
        session.target().requireModel(session, model);
        String body = "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,1],\"datatype\":\"" + datatype + "\",\"data\":[" + json
                + "]}]}";
        return session.infer(model, body);
    }

    private static String outOfRange(Session session) throws IOException {
        one(session, Datatype.UINT8, "256").refused();
        one(session, Datatype.UINT8, "-1").refused();
        one(session, Datatype.INT8, "-129").refused();
        one(session, Datatype.INT32, "2147483648").refused();
        one(session, Datatype.INT32, "1.5").refused();
        one(session, Datatype.UINT64, "18446744073709551616").refused();
        return one(session, Datatype.INT64, "9223372036854775808").refused();
    }

    private static String tooLarge(Session session) throws IOException {
        Answer answer = one(session, Datatype.FP32, "1e39");
        if (answer.status() != 200) {
            return answer.refused();
        }
        answer.output("y").require(WireTensor.floats("y", List.of(1L, 1L), Float.POSITIVE_INFINITY), false);
        return "taken for infinity";
    }

    private static String notFinite(Session session) throws IOException {
        String model = Models.identity(Datatype.FP32);
        session.target().requireModel(session, model);
        List<Object> values = List.of(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
        WireTensor tensor = new WireTensor("x", Datatype.FP32, List.of(1L, 3L), values);
        Answer answer = session.infer(model, InferRequest.of(tensor));
        if (answer.status() != 200) {
            answer.refused();
            return "refused: the words are no JSON";
        }
        return answer.requireOutputs(List.of(tensor.named("y")), false);
    }

    private static String bool(Session session) throws IOException {
        echo(session, Datatype.BOOL, true, false, true);
        String note = oneOrRefused(one(session, Datatype.BOOL, "1"), true);
        String other = oneOrRefused(one(session, Datatype.FP32, "true"), 1f);
        return note == null ? other : note;
    }

    private static String oneOrRefused(Answer answer, Object one) {
        if (answer.status() != 200) {
            return answer.refused();
        }
        if (!answer.output("y").elements().equals(List.of(one))) {
            throw Unmet.because("the value became " + answer.output("y").elements());
        }
        return "the value is converted";
    }

    private static String bytes(Session session) throws IOException {
        String text = "[\"\",\"plain\",\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u00e9\u00e9\",\"\\ud83d\\ude00\ud83d\ude00\","
                + "\"a\\u0001b\"]";
        String model = Models.identity(Datatype.BYTES);
        session.target().requireModel(session, model);
        String body = "{\"inputs\":[{\"name\":\"x\",\"shape\":[6,1],\"datatype\":\"BYTES\",\"data\":" + text + "}]}";
        List<Object> expected = new ArrayList<>();
        for (String value : List.of("", "plain", "\"\\/\b\f\n\r\t", "éé", "😀😀", "a\u0001b")) {
            expected.add(Datatype.latin(value.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        }
        return session.infer(model, body)
                .requireOutputs(List.of(new WireTensor("y", Datatype.BYTES, List.of(6L, 1L), expected)), false);
    }

    private static String half(Session session) throws IOException {
        String model = Models.identity(Datatype.FP16);
        session.target().requireModel(session, model);
        WireTensor tensor =
                new WireTensor("x", Datatype.FP16, List.of(1L, 3L), List.of(0.099975586f, 65504f, -5.9604645e-8f));
        Answer answer = session.infer(model, InferRequest.of(tensor));
        if (answer.status() != 200) {
            answer.refused();
            return "FP16 is taken as bytes only";
        }
        return answer.requireOutputs(List.of(tensor.named("y")), false);
    }

    private static String smallIntegers(Session session) throws IOException {
        integers(session, Datatype.INT8, "-128", "127");
        integers(session, Datatype.INT16, "-32768", "32767");
        integers(session, Datatype.INT32, "-2147483648", "2147483647");
        integers(session, Datatype.UINT8, "0", "255");
        integers(session, Datatype.UINT16, "0", "65535");
        return integers(session, Datatype.UINT32, "0", "4294967295");
    }
}
