// SPDX-License-Identifier: Apache-2.0
/// `millrace conformance`: what a server does of the Open Inference Protocol V2 over HTTP, case by case.
///
/// ```
/// Suite ─► Case ─► Runner ─► Check, on a thread of its own ─► Session ─► Wire ─► server
///                    │ no answer in time: the case has failed
///                  Result ─► Report: text, JSON, JUnit's XML
/// ```
///
/// Cases are in the classes named after what they are about, `ServerCases` to `ExtensionCases`. Those that need to know
/// a model's answers ask the models that [dev.millrace.conformance.Models] writes.
///
/// The package knows nothing of the server's own classes; [dev.millrace.conformance.ConformanceCommand] is what the
/// command line sees.
package dev.millrace.conformance;
