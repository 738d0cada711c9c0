// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/// A model on a server.
///
/// @param base the server's address, without a slash at the end
/// @param model its name
/// @param version its version; null for the one that the server chooses
record Target(URI base, String model, String version) {
    private static final int HTTP_PORT = 80;

    /// @throws IllegalArgumentException if the address is none of HTTP
    static Target of(String url, String model, String version) {
        URI address;
        try {
            address = URI.create(url.replaceAll("/+$", ""));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("'" + url + "' is no address: " + e.getMessage(), e);
        }
        if (!"http".equals(address.getScheme()) || address.getHost() == null) {
            throw new IllegalArgumentException("'" + url + "' is no address like http://127.0.0.1:8000");
        }
        return new Target(address, model, version);
    }

    String host() {
        String host = base.getHost();
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    int port() {
        return base.getPort() < 0 ? HTTP_PORT : base.getPort();
    }

    String authority() {
        return base.getPort() < 0 ? base.getHost() : base.getHost() + ":" + base.getPort();
    }

    /// Where the model's metadata are.
    String path() {
        String path = base.getRawPath() + "/v2/models/" + encoded(model);
        return version == null ? path : path + "/versions/" + encoded(version);
    }

    String inferPath() {
        return path() + "/infer";
    }

    /// The address of a path of the server.
    URI uri(String path) {
        return URI.create("http://" + authority() + path);
    }

    private static String encoded(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
