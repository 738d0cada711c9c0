// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisCredentialsProvider;
import io.lettuce.core.RedisURI;
import java.util.Locale;

/// Reads Feast's `connection_string`.
final class ConnectionText {
    private static final int DEFAULT_PORT = 6379;
    private static final int MAX_PORT = 65_535;

    private ConnectionText() {}

    /// @throws IllegalArgumentException if it is none, or of several servers
    static RedisURI parse(String text) {
        if (text.contains("://")) {
            return RedisURI.create(text);
        }
        RedisURI uri = new RedisURI();
        uri.setHost("");
        String user = null;
        String password = null;
        for (String part : text.split(",")) {
            int equals = part.indexOf('=');
            String name = equals < 0 ? "" : part.substring(0, equals).strip().toLowerCase(Locale.ROOT);
            String value = part.substring(equals + 1).strip();
            switch (name) {
                case "" -> address(uri, value);
                case "db" -> uri.setDatabase((int) number(part, value, Integer.MAX_VALUE));
                case "ssl" -> uri.setSsl(Boolean.parseBoolean(value));
                case "username" -> user = value;
                case "password" -> password = value;
                default -> throw wrong(part, "host:port, db=, ssl=, username= or password=");
            }
        }
        if (uri.getHost().isEmpty()) {
            throw wrong(text, "host:port");
        }
        if (password != null) {
            String name = user;
            char[] secret = password.toCharArray();
            uri.setCredentialsProvider(
                    RedisCredentialsProvider.from(() -> RedisCredentials.just(name, new String(secret))));
        }
        return uri;
    }

    private static void address(RedisURI uri, String text) {
        if (!uri.getHost().isEmpty()) {
            throw wrong(text, "one server: a cluster is not read");
        }
        int colon = text.lastIndexOf(':');
        uri.setHost(colon < 0 ? text : text.substring(0, colon));
        uri.setPort(colon < 0 ? DEFAULT_PORT : (int) number(text, text.substring(colon + 1), MAX_PORT));
    }

    private static long number(String part, String value, long most) {
        try {
            long number = Long.parseLong(value);
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw wrong(part, "a number from 0 to " + most);
    }

    /// Passwords are not repeated.
    private static IllegalArgumentException wrong(String came, String expected) {
        return new IllegalArgumentException("connection_string has '"
                + came.replaceAll("(?i)password=[^,]*", "password=...") + "', expected " + expected);
    }
}
