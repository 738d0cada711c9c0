// SPDX-License-Identifier: Apache-2.0
/// The ways to an answer: what is asked ([dev.millrace.bench.route.Examples]), who answers
/// ([dev.millrace.bench.route.Contestant]), and who may be timed ([dev.millrace.bench.route.Gate]).
///
/// Any model can be asked that the runtime serves; a route that cannot ask one says why
/// ([dev.millrace.bench.route.Unavailable]).
package dev.millrace.bench.route;
