// SPDX-License-Identifier: Apache-2.0
/// The part of YAML that the project's files are written in, and JSON with it, as a tree that knows
/// where everything is.
package dev.millrace.yaml;
