// SPDX-License-Identifier: Apache-2.0
/// What an event loop does with inference requests, whatever protocol they came by: it submits together what a wake-up
/// brought, turns the wheel once, and takes back what ended.
///
/// ```
///   sockets ► a front end decodes ► Submission ─► WakeUp: submit all, turn once ► Submission.finish ► answers
///                                     (Call of CallPools)
/// ```
///
/// A front end may not know another one; requests of all of them meet here and may be in one batch.
package dev.millrace.loop;
