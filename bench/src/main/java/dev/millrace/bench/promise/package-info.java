// SPDX-License-Identifier: Apache-2.0
/// Whether promises are kept: overload in an open loop, in-process and over HTTP; how late expired requests are told;
/// a light model beside a saturated one, and while a large one is loaded. `bench/run.sh --overload`, `--overload-http`,
/// `--deadlines`, `--isolation` and `--loading` run them.
package dev.millrace.bench.promise;
