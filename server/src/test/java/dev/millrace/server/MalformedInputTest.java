// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer.Reply;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// What is wrong with a request is said in the answer: which field, what came, what was expected. And the server goes
/// on.
class MalformedInputTest {
    private static TestServer server;

    /// A body, and what the error has to contain. In bodies single quotes stand for double ones.
    private record Row(String model, int status, String body, String... fragments) {
        @Override
        public String toString() {
            return model + ": " + (body.length() > 100 ? body.substring(0, 100) : body);
        }
    }

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Row body(String body, String... fragments) {
        return new Row("linear", 400, body, fragments);
    }

    /// One input object in an otherwise good request to `linear`.
    private static Row input(String input, String... fragments) {
        return body("{'inputs':[" + input + "]}", fragments);
    }

    /// Shape and data of `linear`'s input.
    private static Row linear(String shape, String data, String... fragments) {
        return input("{'name':'x','shape':" + shape + ",'datatype':'FP32','data':" + data + "}", fragments);
    }

    private static Row late(String shape, String data, String... fragments) {
        return input("{'data':" + data + ",'shape':" + shape + ",'datatype':'FP32','name':'x'}", fragments);
    }

    /// Two elements for the model that echoes a datatype.
    private static Row element(String type, String data, String... fragments) {
        return new Row(
                "echo_" + type.toLowerCase(Locale.ROOT),
                400,
                "{'inputs':[{'name':'in_" + type + "','shape':[1,2],'datatype':'" + type + "','data':" + data + "}]}",
                fragments);
    }

    static final List<Row> BODIES = List.of(
            body("", "empty", "JSON object"),
            body("   \n", "empty"),
            body("[]", "an array", "JSON object"),
            body("null", "null", "JSON object"),
            body("'text'", "the string \"text\"", "JSON object"),
            body("17", "17", "JSON object"),
            body("nonsense", "malformed JSON", "nonsense"),
            body("{", "malformed JSON", "end-of-input"),
            body("{'inputs'", "malformed JSON"),
            body("{'inputs':[", "malformed JSON"),
            body("{'inputs':[{", "malformed JSON"),
            body(
                    "{'inputs':[{'name':'x','shape':[1,4],'datatype':'FP32','data':[1,2,3",
                    "malformed JSON",
                    "end-of-input"),
            body("{'inputs':[{'data':[1,2,3", "malformed JSON"),
            body("{'inputs':[{'name':'x','shape':[1,", "malformed JSON"),
            body("{'inputs':[{'name':'x", "malformed JSON"),
            body("{'inputs':[]}}", "malformed JSON"),
            body("{'inputs':[],}", "malformed JSON"),
            body("{inputs:[]}", "malformed JSON"),
            body("{'a':01}", "malformed JSON", "zero"),
            body("{'a':+1}", "malformed JSON"),
            body("{'a':.5}", "malformed JSON"),
            body("{'a':tru}", "malformed JSON"),
            body("{'a':'\u0001'}", "malformed JSON"),
            body("{'a':'\\x'}", "malformed JSON", "escape"),
            body("[".repeat(100_000), "an array", "JSON object"),
            body("{'a':".repeat(100_000), "malformed JSON", "depth", "100"),
            body("{'x':" + "[".repeat(101) + "]".repeat(101) + "}", "depth", "100"),
            body("{'inputs':[{'x':" + "{'a':".repeat(200), "depth", "100"),
            body("{'x':" + "1".repeat(2000) + "}", "2000", "1000"),
            body("{} {}", "after", "an object"),
            body("{'inputs':[{'name':'x','shape':[1,4],'datatype':'FP32','data':[1,2,3,4]}]} {}", "after", "an object"),
            body("{'inputs':[{'name':'x','shape':[1,4],'datatype':'FP32','data':[1,2,3,4]}]} 5", "after", "5"),
            body("{}", "'x'", "missing", "FP32", "[-1, 4]"),
            body("{'inputs':[]}", "'x'", "missing", "FP32", "[-1, 4]"),
            body("{'inputs':null}", "'inputs'", "null", "array"),
            body("{'inputs':{}}", "'inputs'", "an object", "array"),
            body("{'inputs':'x'}", "'inputs'", "\"x\"", "array"),
            body("{'inputs':[],'outputs':5}", "'outputs'", "5", "array"),
            body("{'inputs':[],'outputs':['y']}", "'outputs'", "\"y\"", "object"),
            body("{'inputs':[],'outputs':[{}]}", "'outputs'", "no name"),
            body("{'inputs':[],'outputs':[{'name':null}]}", "'outputs'", "no name"),
            body("{'inputs':[],'outputs':[{'name':3}]}", "name", "3", "string"),
            body("{'inputs':[],'outputs':[{'name':'z'}]}", "'z'", "[y]"),
            body("{'inputs':[],'outputs':[{'name':'y'},{'name':'y'}]}", "'y'", "second"),
            body("{'id':5,'inputs':[]}", "id", "5", "string"),
            body("{'id':{},'inputs':[]}", "id", "an object", "string"),
            body("{'parameters':[],'inputs':[]}", "'parameters'", "an array", "object"),
            body("{'parameters':{'timeout':-1},'inputs':[]}", "timeout", "-1", "microseconds"),
            body("{'parameters':{'timeout':1.5},'inputs':[]}", "timeout", "1.5", "integer"),
            body("{'parameters':{'timeout':'1'},'inputs':[]}", "timeout", "\"1\"", "integer"),
            body("{'parameters':{'timeout':18446744073709551616},'inputs':[]}", "timeout", "18446744073709551616"));

    static final List<Row> INPUTS = List.of(
            input("5", "inputs[0]", "5", "object"),
            input("[]", "inputs[0]", "an array", "object"),
            input("null", "inputs[0]", "null", "object"),
            input("{}", "inputs[0]", "no name"),
            input("{'name':null,'shape':[1,4],'datatype':'FP32','data':[1,2,3,4]}", "inputs[0]", "no name"),
            input("{'name':7,'shape':[1,4],'datatype':'FP32','data':[1,2,3,4]}", "name", "inputs[0]", "7", "string"),
            input("{'name':'X','shape':[1,4],'datatype':'FP32','data':[1,2,3,4]}", "'X'", "[x]"),
            input("{'name':'','shape':[1,4],'datatype':'FP32','data':[1,2,3,4]}", "''", "[x]"),
            input("{'name':'x','datatype':'FP32','data':[1,2,3,4]}", "'x'", "no shape"),
            input("{'name':'x','shape':[1,4],'data':[1,2,3,4]}", "'x'", "no datatype"),
            input("{'name':'x','shape':[1,4],'datatype':'FP32'}", "'x'", "no data"),
            input(
                    "{'name':'x','shape':[1,4],'datatype':'FP32','parameters':{'binary_data_size':16}}",
                    "'x'",
                    "Inference-Header-Content-Length",
                    "JSON"),
            input("{'name':'x','shape':[1,4],'datatype':'FP64','data':[1,2,3,4]}", "'x'", "'FP64'", "expected FP32"),
            input(
                    "{'name':'x','shape':[1,4],'datatype':'float','data':[1,2,3,4]}",
                    "'x'",
                    "'float'",
                    "none",
                    "expected FP32"),
            input("{'name':'x','shape':[1,4],'datatype':32,'data':[1,2,3,4]}", "datatype", "'x'", "32", "string"),
            input(
                    "{'name':'x','shape':[1,4],'datatype':'FP32','data':[1,2,3,4]},"
                            + "{'name':'x','shape':[1,4],'datatype':'FP32','data':[1,2,3,4]}",
                    "'x'",
                    "second"),
            input(
                    "{'name':'x','shape':[1,4],'datatype':'FP32','data':[1,2,3,4]},"
                            + "{'name':'y','shape':[1,4],'datatype':'FP32','data':[1,2,3,4]}",
                    "'y'",
                    "[x]"),
            input(
                    "{'name':'x','shape':[1,4],'datatype':'FP32','data':[1,2,3,4],'shape':[2,2]}",
                    "'shape'",
                    "'x'",
                    "second"),
            input("{'name':'x','shape':4,'datatype':'FP32','data':[1,2,3,4]}", "shape", "'x'", "4", "array"),
            input(
                    "{'shape':null,'name':'x','datatype':'FP32','data':[1,2,3,4]}",
                    "shape",
                    "inputs[0]",
                    "null",
                    "array"),
            input("{'name':'x','shape':[1,4],'datatype':'FP32','data':null}", "data", "'x'", "null", "array"),
            input("{'name':'x','shape':[1,4],'datatype':'FP32','data':'AAAA'}", "data", "'x'", "\"AAAA\"", "array"),
            input("{'name':'x','shape':[1,4],'datatype':'FP32','data':{}}", "data", "'x'", "an object", "array"),
            new Row(
                    "two_in",
                    400,
                    "{'inputs':[{'name':'a','shape':[1,2],'datatype':'FP32','data':[1,2]}]}",
                    "'b'",
                    "missing",
                    "[-1, 2]"),
            new Row(
                    "two_in",
                    400,
                    "{'inputs':[{'name':'a','shape':[1,2],'datatype':'FP32','data':[1,2]},"
                            + "{'name':'b','shape':[2,2],'datatype':'FP32','data':[1,2,3,4]}]}",
                    "'b'",
                    "2 rows",
                    "1",
                    "'a'"));

    static final List<Row> SHAPES = List.of(
            linear("[4]", "[1,2,3,4]", "'x'", "[4]", "[-1, 4]"),
            linear("[]", "[1]", "'x'", "[]", "[-1, 4]"),
            linear("[1,1,4]", "[1,2,3,4]", "'x'", "[1, 1, 4]", "[-1, 4]"),
            linear("[1,3]", "[1,2,3]", "'x'", "[1, 3]", "[-1, 4]"),
            linear("[2,2]", "[1,2,3,4]", "'x'", "[2, 2]", "[-1, 4]"),
            linear("[-1,4]", "[1,2,3,4]", "dimension 0", "'x'", "-1", "integer from 0"),
            linear("[1,-4]", "[1,2,3,4]", "dimension 1", "'x'", "-4"),
            linear("[1.0,4]", "[1,2,3,4]", "dimension 0", "'x'", "1.0", "integer"),
            linear("[1,4.5]", "[1,2,3,4]", "dimension 1", "'x'", "4.5", "integer"),
            linear("['1',4]", "[1,2,3,4]", "dimension 0", "\"1\"", "integer"),
            linear("[null,4]", "[1,2,3,4]", "dimension 0", "null", "integer"),
            linear("[[1],4]", "[1,2,3,4]", "dimension 0", "an array", "integer"),
            linear("[1e0,4]", "[1,2,3,4]", "dimension 0", "1e0", "integer"),
            linear("[NaN,4]", "[1,2,3,4]", "dimension 0", "NaN", "integer"),
            linear("[4611686018427387904,4]", "[1,2,3,4]", "'x'", "[4611686018427387904, 4]", "more elements"),
            linear("[4611686018427387904,8]", "[1,2,3,4]", "'x'", "[4611686018427387904, 8]"),
            new Row(
                    "nobatch",
                    400,
                    "{'inputs':[{'name':'x','shape':[2,0,4611686018427387904],'datatype':'FP32','data':[]}]}",
                    "'x'",
                    "[2, 0, 4611686018427387904]",
                    "more elements"),
            linear("[9223372036854775808,4]", "[1,2,3,4]", "dimension 0", "9223372036854775808"),
            linear("[99999999999999999999999999,4]", "[1,2,3,4]", "dimension 0", "99999999999999999999999999"),
            linear("[" + "1,".repeat(40) + "4]", "[1,2,3,4]", "shape", "'x'", "32 dimensions"),
            linear("[0,4]", "[]", "'x'", "0 rows", "at least 1"),
            linear("[1,4]", "[1,2,3]", "'x'", "3 elements", "expected 4", "[1, 4]"),
            linear("[1,4]", "[1,2,3,4,5]", "'x'", "5 elements", "expected 4", "[1, 4]"),
            linear("[1,4]", "[]", "'x'", "0 elements", "expected 4"),
            linear("[2,4]", "[1,2,3,4]", "'x'", "4 elements", "expected 8"),
            late("[2,4]", "[1,2,3,4]", "'x'", "4 elements", "expected 8"),
            linear("[1000000000,4]", "[1,2,3,4]", "'x'", "4 elements", "expected 4000000000"),
            late("[500000000000000000,4]", "[1,2,3,4]", "'x'", "4 elements", "expected 2000000000000000000"),
            linear("[2,4]", "[[1,2,3,4],[5,6,7]]", "'x'", "array of 3", "dimension 1", "expected 4"),
            linear("[2,4]", "[[1,2,3,4],[5,6,7,8,9]]", "'x'", "array of 5", "dimension 1", "expected 4"),
            linear("[2,4]", "[[1,2,3,4]]", "'x'", "array of 1", "dimension 0", "expected 2"),
            linear("[2,4]", "[[1,2],[3,4],[5,6],[7,8]]", "'x'", "array of 2", "dimension 1", "expected 4"),
            linear("[1,4]", "[[[1,2,3,4]]]", "'x'", "nested 3 deep", "at most 2", "[1, 4]"),
            linear("[1,4]", "[1,[2,3,4]]", "'x'", "side by side"),
            linear("[1,4]", "[[1,2,3,4],5]", "'x'", "side by side"),
            linear("[1,4]", "[[1,[2],3,4]]", "'x'", "side by side"),
            linear("[1,4]", "[[]]", "'x'", "array of 0", "expected 4"),
            late("[2,4]", "[[1,2,3,4],[5,6,7]]", "'x'", "array of 3", "expected 4"),
            new Row(
                    "nobatch",
                    400,
                    "{'inputs':[{'name':'x','shape':[1,2,2],'datatype':'FP32','data':[[1,2],[3,4]]}]}",
                    "'x'",
                    "nested 2 deep",
                    "1 or 3",
                    "[1, 2, 2]"),
            new Row(
                    "nobatch",
                    400,
                    "{'inputs':[{'name':'x','shape':[3000000000,3000000000,3000000000],'datatype':'FP32','data':[]}]}",
                    "'x'",
                    "more elements"),
            new Row(
                    "scalar",
                    400,
                    "{'inputs':[{'name':'factor','shape':[],'datatype':'FP32','data':[[3]]}]}",
                    "'factor'",
                    "nested 2 deep"),
            new Row(
                    "scalar",
                    400,
                    "{'inputs':[{'name':'factor','shape':[],'datatype':'FP32','data':3}]}",
                    "'factor'",
                    "3",
                    "array"),
            new Row(
                    "one_row",
                    400,
                    "{'inputs':[{'name':'x','shape':[2,3],'datatype':'FP32','data':[1,2,3,4,5,6]}]}",
                    "'x'",
                    "[2, 3]",
                    "[1, 3]"),
            new Row(
                    "linear",
                    413,
                    "{'inputs':[{'name':'x','shape':[5000,4],'datatype':'FP32','data':[0" + ",0".repeat(19_999)
                            + "]}]}",
                    "5000 rows",
                    "1024"));

    static final List<Row> ELEMENTS = List.of(
            element("FP32", "[1,null]", "element 1", "'in_FP32'", "null", "a number"),
            element("FP32", "['1',2]", "element 0", "\"1\"", "a number"),
            element("FP32", "[true,2]", "element 0", "true", "a number"),
            element("FP32", "[{},2]", "element 0", "an object", "a number"),
            element("FP32", "[1e39,2]", "element 0", "1e39", "range", "FP32"),
            element("FP32", "[1,-3.5e38]", "element 1", "-3.5e38", "range", "FP32"),
            element("FP32", "[1" + "0".repeat(50) + ",2]", "element 0", "range", "FP32"),
            element("FP32", "[1" + "0".repeat(5000) + ",2]", "malformed JSON", "1000"),
            element("FP64", "[1e309,2]", "element 0", "1e309", "range", "FP64"),
            element("FP64", "[1e999999999999,2]", "element 0", "range", "FP64"),
            element("FP16", "[65520,2]", "element 0", "65520", "range", "FP16"),
            element("BF16", "[3.4e38,2]", "element 0", "3.4e38", "range", "BF16"),
            element("BF16", "[false,2]", "element 0", "false", "a number"),
            element("UINT8", "[300,1]", "element 0", "'in_UINT8'", "300", "range", "UINT8"),
            element("UINT8", "[-1,1]", "element 0", "-1", "range", "UINT8"),
            element("UINT8", "[1.0,1]", "element 0", "1.0", "an integer"),
            element("UINT8", "[1e2,1]", "element 0", "1e2", "an integer"),
            element("UINT8", "[NaN,1]", "element 0", "NaN", "an integer"),
            element("UINT16", "[1,65536]", "element 1", "65536", "range"),
            element("UINT32", "[4294967296,1]", "4294967296", "range"),
            element("UINT64", "[18446744073709551616,1]", "18446744073709551616", "range"),
            element("UINT64", "[-1,1]", "-1", "range"),
            element("INT8", "[128,1]", "128", "range"),
            element("INT8", "[-129,1]", "-129", "range"),
            element("INT16", "[32768,1]", "32768", "range"),
            element("INT32", "[-2147483649,1]", "-2147483649", "range"),
            element("INT64", "[9223372036854775808,1]", "9223372036854775808", "range"),
            element("INT64", "[1,-9223372036854775809]", "element 1", "-9223372036854775809", "range"),
            element("INT64", "['7',1]", "\"7\"", "an integer"),
            element("INT64", "[false,1]", "false", "an integer"),
            element("BOOL", "[1,0]", "element 0", "1", "true or false"),
            element("BOOL", "['true',true]", "\"true\"", "true or false"),
            element("BOOL", "[true,null]", "element 1", "null", "true or false"),
            new Row(
                    "string_only",
                    400,
                    "{'inputs':[{'name':'text','shape':[1,1],'datatype':'BYTES','data':[5]}]}",
                    "element 0",
                    "5",
                    "a string"),
            new Row(
                    "string_only",
                    400,
                    "{'inputs':[{'name':'text','shape':[1,1],'datatype':'BYTES','data':[null]}]}",
                    "element 0",
                    "null",
                    "a string"),
            new Row(
                    "string_only",
                    400,
                    "{'inputs':[{'name':'text','shape':[1,1],'datatype':'BYTES','data':['\\ud800x']}]}",
                    "element 0",
                    "'text'",
                    "surrogate"),
            new Row(
                    "string_only",
                    400,
                    "{'inputs':[{'name':'text','shape':[1,1],'datatype':'BYTES','data':['a\\u0000b']}]}",
                    "element 0",
                    "'text'",
                    "U+0000"));

    @ParameterizedTest
    @FieldSource({"BODIES", "INPUTS", "SHAPES", "ELEMENTS"})
    void shouldSayWhatIsWrong(Row row) {
        Reply reply = server.infer(row.model(), Bodies.json(row.body()));

        assertThat(reply.status()).as(reply.body()).isEqualTo(row.status());
        assertThat(reply.error()).contains(row.fragments());
        assertThat(reply.response().headers().firstValue("Content-Type")).contains("application/json");
    }

    @AfterEach
    void shouldStillAnswer() {
        assertThat(server.infer("linear", Bodies.LINEAR).data()).isEqualTo("30.5,0.5");
    }
}
