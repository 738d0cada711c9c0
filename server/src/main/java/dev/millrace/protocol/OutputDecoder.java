// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonReader;
import dev.millrace.json.JsonReader.Token;
import dev.millrace.json.JsonWriter;
import dev.millrace.memory.Hot;
import dev.millrace.model.Signature;
import dev.millrace.model.TensorSpec;
import java.util.Arrays;
import java.util.List;

/// Reads a request's `outputs`. Threads: one.
final class OutputDecoder {
    private static final byte[] NAME = JsonWriter.ascii("name");
    private static final byte[] PARAMETERS = JsonWriter.ascii("parameters");
    private static final byte[] BINARY_DATA = JsonWriter.ascii("binary_data");

    private static final byte[] CLASSIFICATION = JsonWriter.ascii("classification");

    private final JsonReader json;

    private Signature signature;
    /// Those of the request; 0 stands for all.
    private int count;

    private int[] indices = {};
    /// Whether it is wanted as bytes, by its place in the answer: null where it does not say so.
    private Boolean[] binary = {};

    private int[] classes = {};
    private boolean classified;

    private String name;
    private Boolean binaryData;
    private int classCount;

    OutputDecoder(JsonReader json) {
        this.json = json;
    }

    /// Forgets what the last request chose.
    @Hot
    void clear() {
        count = 0;
    }

    /// What the request wants.
    ///
    /// @param binaryByDefault whether outputs that do not say how they are wanted are sent as bytes
    @Hot
    RequestedOutputs result(boolean binaryByDefault) {
        if (count == 0) {
            return binaryByDefault ? RequestedOutputs.ALL_BINARY : RequestedOutputs.ALL;
        }
        return chosen(binaryByDefault);
    }

    private RequestedOutputs chosen(boolean binaryByDefault) {
        boolean[] flags = new boolean[count];
        for (int i = 0; i < count; i++) {
            flags[i] = binary[i] == null ? binaryByDefault : binary[i];
        }
        return RequestedOutputs.of(Arrays.copyOf(indices, count), flags, classified ? classes : null);
    }

    /// Reads the array that comes next; an empty one and null stand for all outputs.
    void decode(Signature model) {
        count = 0;
        if (json.token() == Token.NULL) {
            json.skip();
            return;
        }
        if (json.token() != Token.ARRAY) {
            throw Refusal.invalid("'outputs' is " + json.describe() + ", expected an array");
        }
        signature = model;
        indices = new int[signature.outputs().size() + signature.reports().size()];
        binary = new Boolean[indices.length];
        classes = new int[indices.length];
        classified = false;
        json.enterArray();
        while (json.nextElement()) {
            element();
        }
    }

    private void element() {
        if (json.token() != Token.OBJECT) {
            throw Refusal.invalid("an element of 'outputs' is " + json.describe() + ", expected an object");
        }
        name = null;
        binaryData = null;
        classCount = 0;
        json.enterObject();
        while (json.nextMember()) {
            if (json.isKey(NAME)) {
                name = Texts.optional(json, "the name of an output");
            } else if (json.isKey(PARAMETERS)) {
                readParameters();
            } else {
                json.skip();
            }
        }
        int index = index();
        for (int i = 0; i < count; i++) {
            if (indices[i] == index) {
                throw Refusal.invalid(label() + " is asked for a second time");
            }
        }
        if (classCount > 0) {
            requireClasses(signature, index);
        }
        indices[count] = index;
        binary[count] = binaryData;
        classes[count] = classCount;
        classified |= classCount > 0;
        count++;
    }

    private String label() {
        return name == null ? "an output" : "output '" + name + "'";
    }

    private int index() {
        if (name == null) {
            throw Refusal.invalid("an element of 'outputs' has no name");
        }
        return index(signature, name);
    }

    /// The place of an output or a report by its name.
    ///
    /// @throws Refusal if there is none
    static int index(Signature signature, String name) {
        int index = signature.answerIndex(name);
        if (index < 0) {
            String reports = signature.reports().isEmpty() ? "" : ", and the reports " + names(signature.reports());
            throw Refusal.invalid(
                    "the model has no output '" + name + "'; it has " + names(signature.outputs()) + reports);
        }
        return index;
    }

    private static List<String> names(List<TensorSpec> specs) {
        return specs.stream().map(TensorSpec::name).toList();
    }

    private void readParameters() {
        if (!Texts.enterParameters(json, "the parameters of " + label())) {
            return;
        }
        while (json.nextMember()) {
            if (json.isKey(BINARY_DATA)) {
                binaryData = Texts.truth(json, "parameter 'binary_data' of " + label());
            } else if (json.isKey(CLASSIFICATION)) {
                readClassification();
            } else if (json.isKey(Texts.SHARED_MEMORY)) {
                throw Texts.sharedMemory(label());
            } else {
                json.skip();
            }
        }
    }

    private void readClassification() {
        long wanted = Texts.natural(json);
        if (wanted < 0) {
            throw Refusal.invalid("parameter 'classification' of " + label() + " is " + json.describe()
                    + ", expected a number of classes");
        }
        classCount = (int) Math.min(wanted, Integer.MAX_VALUE);
    }

    /// @throws Refusal if the values of an output cannot be sorted
    static void requireClasses(Signature signature, int index) {
        TensorSpec output = signature.answer(index);
        if (index >= signature.outputs().size()) {
            throw Refusal.invalid("report '" + output.name() + "' cannot be asked for by classes");
        }
        if (!Classification.isPossible(output.datatype())) {
            throw Refusal.invalid("output '" + output.name() + "' cannot be asked for by classes, as its values are "
                    + output.datatype() + "; expected integers, FP32 or FP64");
        }
    }
}
