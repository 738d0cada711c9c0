// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

/// One thing to find out about a server.
///
/// @param number counts cases; it stays a case's own for ever
/// @param id its name, the group before the dot
/// @param level how much it matters
/// @param source what asks for it
/// @param extension the extension that the server has to list; null for none
/// @param expected what a server should do, in words
/// @param check finds out
record Case(int number, String id, Level level, String source, String extension, String expected, Check check) {
    /// The Open Inference Protocol's own text.
    static final String SPECIFICATION = "specification";
    /// RFC 9110 and 9112, on which it stands.
    static final String HTTP = "HTTP/1.1";
    /// RFC 8259, on which it stands.
    static final String JSON = "JSON";
    /// What clients and other servers do.
    static final String PRACTICE = "practice";

    static Case required(int number, String id, String source, String expected, Check check) {
        return new Case(number, id, Level.REQUIRED, source, null, expected, check);
    }

    static Case recommended(int number, String id, String source, String expected, Check check) {
        return new Case(number, id, Level.RECOMMENDED, source, null, expected, check);
    }

    static Case hardening(int number, String id, String expected, Check check) {
        return new Case(number, id, Level.HARDENING, PRACTICE, null, expected, check);
    }

    static Case extension(int number, String id, String extension, String expected, Check check) {
        return new Case(number, id, Level.EXTENSION, "extension " + extension, extension, expected, check);
    }

    /// The part of the protocol that it is about.
    String group() {
        return id.substring(0, id.indexOf('.'));
    }
}
