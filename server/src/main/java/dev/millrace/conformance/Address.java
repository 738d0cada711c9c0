// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/// Where the server is.
///
/// @param host its name or number
/// @param port its port
/// @param secure whether it speaks TLS
/// @param base what all paths begin with, without a slash at its end
/// @param headers sent with every request
record Address(String host, int port, boolean secure, String base, Map<String, String> headers) {
    private static final int HTTP_PORT = 80;
    private static final int HTTPS_PORT = 443;

    /// @throws IllegalArgumentException if it is no address
    static Address of(String url, Map<String, String> headers) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("'" + url + "' is no URL", e);
        }
        boolean secure = "https".equalsIgnoreCase(uri.getScheme());
        if ((!secure && !"http".equalsIgnoreCase(uri.getScheme())) || uri.getHost() == null) {
            throw new IllegalArgumentException("'" + url + "' is no URL like http://127.0.0.1:8000");
        }
        if (uri.getRawQuery() != null || uri.getRawFragment() != null || uri.getRawUserInfo() != null) {
            throw new IllegalArgumentException("'" + url + "' has more than a host, a port and a path");
        }
        int port = uri.getPort() >= 0 ? uri.getPort() : secure ? HTTPS_PORT : HTTP_PORT;
        String base = uri.getRawPath().replaceAll("/+$", "");
        Map<String, String> own = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        own.putAll(headers);
        return new Address(uri.getHost().replaceAll("[\\[\\]]", ""), port, secure, base, own);
    }

    /// A socket to talk through on one that is connected.
    Socket secured(Socket socket) throws IOException {
        if (!secure) {
            return socket;
        }
        SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
        SSLSocket wrapped = (SSLSocket) factory.createSocket(socket, host, port, true);
        wrapped.startHandshake();
        return wrapped;
    }

    /// What a Host header says.
    String hostHeader() {
        String name = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
        return port == (secure ? HTTPS_PORT : HTTP_PORT) ? name : name + ":" + port;
    }
}
