// SPDX-License-Identifier: Apache-2.0
/// Whether promises are kept: overload in an open loop, in-process and over HTTP; how late expired requests are told;
/// a light model beside a saturated one. `bench/run.sh --overload`, `--overload-http`, `--deadlines` and `--isolation`
/// run them.
package dev.millrace.bench.promise;
