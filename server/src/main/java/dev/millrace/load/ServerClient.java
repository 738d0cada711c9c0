// SPDX-License-Identifier: Apache-2.0
package dev.millrace.load;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Map;

/// Asks a server what is to be known before a load. Threads: one.
final class ServerClient implements AutoCloseable {
    private static final int SHOWN = 500;

    private final Target target;
    private final Map<String, String> headers;
    private final Duration timeout;
    private final HttpClient client;

    ServerClient(Target target, Map<String, String> headers, Duration timeout) {
        this.target = target;
        this.headers = headers;
        this.timeout = timeout;
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(timeout)
                .build();
    }

    /// The model's metadata.
    ///
    /// @throws LoadException if there is no such server or model
    ModelMetadata metadata() throws LoadException, InterruptedException {
        HttpResponse<String> answer = send(request(target.path()).GET());
        if (answer.statusCode() == 404) {
            throw new LoadException("the server at " + target.base() + " has no model '" + target.model() + "'"
                    + (target.version() == null ? "" : " of version " + target.version()) + ": " + shown(answer));
        }
        if (answer.statusCode() != 200) {
            throw new LoadException("the server answered GET " + target.path() + " with " + shown(answer));
        }
        try {
            return ModelMetadata.parse(answer.body());
        } catch (IOException e) {
            throw new LoadException(
                    "GET " + target.path() + " brought no metadata of a model (" + e.getMessage() + "): "
                            + shown(answer),
                    e);
        }
    }

    /// Sends one request and wants success.
    ///
    /// @throws LoadException if it is refused
    void tryOut(byte[] body) throws LoadException, InterruptedException {
        HttpResponse<String> answer = send(request(target.inferPath()).POST(BodyPublishers.ofByteArray(body)));
        if (answer.statusCode() < 200 || answer.statusCode() > 299) {
            throw new LoadException("the server refused the first request: " + shown(answer));
        }
    }

    private HttpRequest.Builder request(String path) {
        URI uri = target.uri(path);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).timeout(timeout);
        headers.forEach(request::setHeader);
        return request;
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws LoadException, InterruptedException {
        try {
            return client.send(request.build(), BodyHandlers.ofString());
        } catch (ConnectException e) {
            boolean unknown = e.getCause() != null && e.getCause().getCause() instanceof UnresolvedAddressException;
            throw new LoadException(
                    "cannot reach " + target.base() + (unknown ? ": no such host" : ": nobody listens there"), e);
        } catch (HttpTimeoutException e) {
            throw new LoadException(target.base() + " did not answer within " + timeout.toMillis() + " ms", e);
        } catch (IOException e) {
            throw new LoadException(target.base() + " did not answer: " + e.getMessage(), e);
        }
    }

    private static String shown(HttpResponse<String> answer) {
        String body = answer.body().strip();
        return answer.statusCode() + " " + (body.length() > SHOWN ? body.substring(0, SHOWN) + " ..." : body);
    }

    @Override
    public void close() {
        client.shutdownNow();
    }
}
