// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

/// Request bodies that can be read in a test's source.
public final class Bodies {
    /// For the model `linear`, which answers 30.5 and 0.5.
    public static final String LINEAR = request(input("x", "[1,4]", "FP32", "[1,2,3,4]"));

    private Bodies() {}

    /// JSON from text in which single quotes stand for double ones.
    public static String json(String quoted) {
        return quoted.replace('\'', '"');
    }

    public static String input(String name, String shape, String datatype, String data) {
        return json("{'name':'" + name + "','shape':" + shape + ",'datatype':'" + datatype + "','data':") + data + "}";
    }

    public static String request(String... inputs) {
        return json("{'inputs':[") + String.join(",", inputs) + "]}";
    }

    /// A request with more members, which come first.
    public static String with(String members, String request) {
        return "{" + json(members) + "," + request.substring(1);
    }

    /// So many rounds of work for the model `slow`.
    public static String slow(long rounds) {
        return request(input("rounds", "[]", "INT64", "[" + rounds + "]"));
    }
}
