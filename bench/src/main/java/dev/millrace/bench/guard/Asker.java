// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Pattern;

/// Asks a server for [WholeModel]'s answers, of which it keeps nothing. Threads: any. Ownership: it closes its
/// connections.
final class Asker implements AutoCloseable {
    /// What became of a request.
    ///
    /// @param status [#LOST] or [#UNANSWERED] if there was no answer
    /// @param error the answer's text, if it is not 200
    record Answer(int status, String error) {
        /// Whether it was refused and told numbers of at least three digits.
        boolean hasNumbers() {
            return status > OK && NUMBERS.matcher(error).find();
        }
    }

    /// The connection was closed before an answer could be read.
    static final int LOST = 0;

    /// There was no answer within ten seconds.
    static final int UNANSWERED = -1;

    static final int OK = 200;
    static final int TOO_LARGE = 413;
    static final int OVERLOADED = 429;
    static final int UNAVAILABLE = 503;
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Pattern NUMBERS = Pattern.compile("\\d{3,}");

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI uri;

    /// @param port where the server listens on this machine
    Asker(int port) {
        uri = URI.create("http://127.0.0.1:" + port + WholeModel.path());
    }

    Answer ask(int numbers) throws IOException {
        return ask(numbers, WholeModel.body(numbers));
    }

    /// @param body of so many numbers
    Answer ask(int numbers, byte[] body) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header(
                        "Inference-Header-Content-Length",
                        Integer.toString(WholeModel.json(numbers).length()))
                .timeout(PATIENCE)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build();
        try {
            HttpResponse<String> answer = client.send(
                    request,
                    info -> info.statusCode() == OK
                            ? HttpResponse.BodySubscribers.replacing("")
                            : HttpResponse.BodySubscribers.ofString(StandardCharsets.UTF_8));
            return new Answer(answer.statusCode(), answer.body());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (HttpTimeoutException e) {
            return new Answer(UNANSWERED, e.toString());
        } catch (IOException e) {
            return new Answer(LOST, e.toString());
        }
    }

    @Override
    public void close() {
        client.close();
    }
}
