// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

/// Request bodies that can be read in a test's source.
final class Bodies {
    /// For the model `linear`, which answers 30.5 and 0.5.
    static final String LINEAR = request(input("x", "[1,4]", "FP32", "[1,2,3,4]"));

    private Bodies() {}

    /// JSON from text in which single quotes stand for double ones.
    static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    static String input(String name, String shape, String datatype, String data) {
        return json("{'name':'" + name + "','shape':" + shape + ",'datatype':'" + datatype + "','data':") + data + "}";
    }

    static String request(String... inputs) {
        return json("{'inputs':[") + String.join(",", inputs) + "]}";
    }

    /// A request with more members, which come first.
    static String with(String members, String request) {
        return "{" + json(members) + "," + request.substring(1);
    }

    /// So many rounds of work for the model `slow`.
    static String slow(long rounds) {
        return request(input("rounds", "[]", "INT64", "[" + rounds + "]"));
    }
}
