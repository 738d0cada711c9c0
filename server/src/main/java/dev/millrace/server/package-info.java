// SPDX-License-Identifier: Apache-2.0
/// The HTTP front end of Millrace, speaking the Open Inference Protocol V2.
///
/// ```
/// event loop, one wake-up                                                        any thread
///   sockets ► Connection ► InferDecoder ─► Exchange ┐
///   sockets ► Connection ► InferDecoder ─► Exchange ┴► WakeUp: submit all, turn once ► back to the WakeUp
///   sockets ◄ Connection ◄ Responses ◄ OutputWriter ◄─────────────────────────────────────┘
/// ```
///
/// A connection belongs to one event loop, and so do its requests and the calls that carry them. Only the end of a call
/// may come from another thread; it is handed over to the loop ([dev.millrace.loop.WakeUp]), with one wake-up for as
/// many as have ended by then.
///
/// [dev.millrace.server.MillraceServer] starts and stops it all.
package dev.millrace.server;
