// SPDX-License-Identifier: Apache-2.0
/// How the slots of a lane become runs of its model.
///
/// A [dev.millrace.backend.Backend] holds what slots contain and runs consecutive ones as a batch. It knows tensors and
/// sessions, but nothing of requests, rings and batching.
package dev.millrace.backend;
