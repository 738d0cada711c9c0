// SPDX-License-Identifier: Apache-2.0
/// What the runtime decides by: what a run costs, how large a batch may be, whether a request can be answered in time,
/// whether a model is broken, and whose turn it is.
///
/// All of it is arithmetic on numbers and times that are handed in. It knows nothing of rings, requests and threads.
package dev.millrace.policy;
