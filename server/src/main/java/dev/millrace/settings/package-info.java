// SPDX-License-Identifier: Apache-2.0
/// What the server's configuration file says, with the place of everything: a [dev.millrace.settings.Setting] is a
/// value, [dev.millrace.settings.Settings] are the names and values of one part of the file. What is wrong is a
/// [dev.millrace.settings.SettingException] with file, line and column, and with what was expected there.
package dev.millrace.settings;
