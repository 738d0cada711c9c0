// SPDX-License-Identifier: Apache-2.0
package dev.millrace.memory;

/// What an allocation is for. One tag, one counter.
public enum MemoryTag {
    /// Rows of a lane's ring: the batch tensors that the model reads and writes.
    RING,
    /// Scratch tensors of a call: what one caller fills in and reads back.
    CALL,
    /// Structures handed to ONNX Runtime: name tables, shapes, value tables.
    ORT,
    /// Loaded models: weights and what ONNX Runtime made of them.
    MODEL,
    /// Bodies of requests that are being received.
    BODY,
    /// Answers that are being written.
    ANSWER,
    /// The cache of responses.
    CACHE,
    /// Tables of the embedded feature store, also those that are mapped from files, and the rows that were read;
    /// histories of views.
    STORE
}
