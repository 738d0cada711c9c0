// SPDX-License-Identifier: Apache-2.0
package dev.millrace.onnx;

import java.util.List;

/// An operator that a model brings along, made of others: `FunctionProto`.
///
/// Threads: one. Ownership: its bytes are [OnnxFile]'s.
///
/// @param message its fields
public record OnnxFunction(ProtoMessage message) {
    private static final int NAME = 1;
    private static final int INPUT = 4;
    private static final int OUTPUT = 5;
    private static final int NODE = 7;
    private static final int DOMAIN = 10;
    private static final int OVERLOAD = 13;

    /// What nodes call it by.
    public OperatorName operator() {
        return new OperatorName(message.text(DOMAIN), message.text(NAME));
    }

    /// Which of several of that name it is; mostly empty.
    public String overload() {
        return message.text(OVERLOAD);
    }

    /// The names of the values that it takes.
    public List<String> inputs() {
        return message.texts(INPUT);
    }

    /// The names of the values that it gives.
    public List<String> outputs() {
        return message.texts(OUTPUT);
    }

    /// What it does.
    public List<OnnxNode> nodes() {
        return message.messages(NODE).stream().map(OnnxNode::new).toList();
    }
}
