// SPDX-License-Identifier: Apache-2.0
/// Changing the models of a server while it serves: how that is set up ([dev.millrace.control.ControlConfig]), who may
/// ask for it ([dev.millrace.control.AdminAccess]), the thread that does it ([dev.millrace.control.ModelChanges]), the
/// models that come with a request ([dev.millrace.control.Uploads]), and the repositories that are watched
/// ([dev.millrace.control.RepositoryWatcher]).
package dev.millrace.control;
