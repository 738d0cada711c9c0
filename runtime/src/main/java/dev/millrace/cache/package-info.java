// SPDX-License-Identifier: Apache-2.0
/// Answers that are kept to be given again to requests of the same inputs.
///
/// It knows tensors, but nothing of requests, lanes and models: whoever asks says whose answers they are.
package dev.millrace.cache;
