// SPDX-License-Identifier: Apache-2.0
/// Reading tensors from JSON: the server's decoder beside others. `bench/run.sh --json` runs it.
package dev.millrace.bench.decode;
