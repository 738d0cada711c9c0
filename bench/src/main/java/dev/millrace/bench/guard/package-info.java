// SPDX-License-Identifier: Apache-2.0
/// Whether those who behave are guarded against those who do not: a lower priority against a higher one, models that
/// share an agent, clients over their limit; rows and models that fail; requests for more memory than there is; clients
/// that do not read, or send slowly. `bench/run.sh --priorities`, `--failing`, `--memory` and `--back-pressure` run
/// them.
package dev.millrace.bench.guard;
