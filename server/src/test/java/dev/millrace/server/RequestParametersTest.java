// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millrace.server.TestServer.Reply;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Parameters of requests: those that mean something, those that are reserved, and all others.
class RequestParametersTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'sequence_id':0                 | 200 | 30.5",
                "'sequence_id':''                | 200 | 30.5",
                "'sequence_start':false,'sequence_end':false | 200 | 30.5",
                "'own':{'a':[1]},'other':'x','n':null,'headers':'h' | 200 | 30.5",
                "'sequence_id':7                 | 501 | parameter 'sequence_id' is set, and sequences of requests are"
                        + " not",
                "'sequence_id':'a'               | 501 | parameter 'sequence_id' is set, and sequences of requests are"
                        + " not",
                "'sequence_start':true           | 501 | parameter 'sequence_start' is set",
                "'sequence_end':true             | 501 | parameter 'sequence_end' is set",
                "'sequence_id':-1                | 400 | parameter 'sequence_id' is -1, expected a string or an"
                        + " integer from 0",
                "'sequence_start':1              | 400 | parameter 'sequence_start' is 1, expected true or false",
                "'triton_x':1                    | 400 | parameter 'triton_x': names that begin with 'triton_' are"
                        + " reserved",
                "'binary_data_output':1          | 400 | parameter 'binary_data_output' is 1, expected true or false",
            },
            quoteCharacter = '"')
    void shouldTakeOrRefuseParametersByName(String parameters, int status, String fragment) {
        Reply reply = server.infer("linear", Bodies.with("'parameters':{" + parameters + "}", Bodies.LINEAR));

        assertThat(reply.status()).as(reply.body()).isEqualTo(status);
        assertThat(reply.body()).contains(fragment);
    }
}
