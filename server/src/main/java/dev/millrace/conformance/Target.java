// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The server under test: where it is, what it lists, which models it has. Threads: one case at a time.
final class Target {
    private static final String WHERE_FROM = "; millrace conformance --write-models writes it";

    private final Address address;
    private final String model;
    private final Set<String> extensions;
    private final Map<String, Answer> metadata = new HashMap<>();
    private Subject subject;

    /// @param model the one that requests of every form are tried on; null for the suite's own
    /// @param extensions those that the server lists
    Target(Address address, String model, Set<String> extensions) {
        this.address = address;
        this.model = model;
        this.extensions = Set.copyOf(extensions);
    }

    Address address() {
        return address;
    }

    boolean lists(String extension) {
        return extensions.contains(extension);
    }

    /// A model's metadata.
    ///
    /// @throws Unmet if the server does not have it
    Json metadata(Session session, String name) throws IOException {
        Answer answer = metadata.get(name);
        if (answer == null) {
            answer = session.get(Session.modelPath(name));
            metadata.put(name, answer);
        }
        if (answer.status() != 200) {
            String from = Models.names().contains(name) ? WHERE_FROM : "";
            throw Unmet.skipped("the server does not serve the model '" + name + "'" + from);
        }
        return answer.json();
    }

    /// The model that requests of every form are tried on, with outputs to compare with.
    Subject subject(Session session) throws IOException {
        if (subject == null) {
            subject = model == null || model.equals(Models.TWO) ? known(session) : any(session);
        }
        return subject;
    }

    /// Whether outputs of the subject have to agree to the last bit.
    boolean isExact() {
        return model == null || model.equals(Models.TWO);
    }

    private Subject known(Session session) throws IOException {
        metadata(session, Models.TWO);
        return Subject.two();
    }

    private Subject any(Session session) throws IOException {
        Subject found = Subject.of(model, metadata(session, model));
        Answer answer = session.infer(model, found.request());
        if (answer.status() != 200) {
            throw Unmet.skipped("model '" + model + "' refuses a request of ones that is made from its metadata: "
                    + answer.shown());
        }
        return found.answering(answer.outputs());
    }

    /// Asks the subject and wants its answer.
    String requireAnswer(Session session, InferRequest request) throws IOException {
        Subject asked = subject(session);
        return session.infer(asked.name(), request).requireOutputs(asked.outputs(), !isExact());
    }

    /// Wants a model of the suite's.
    void requireModel(Session session, String name) throws IOException {
        metadata(session, name);
    }

    /// The suite's models that the server has.
    List<String> present(Session session) throws IOException {
        List<String> found = new java.util.ArrayList<>();
        for (String name : Models.names()) {
            if (session.get(Session.modelPath(name)).status() == 200) {
                found.add(name);
            }
        }
        return found;
    }
}
