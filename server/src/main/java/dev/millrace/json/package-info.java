// SPDX-License-Identifier: Apache-2.0

/// JSON read straight from bytes: a cursor over a request body that makes no objects and no tree, and numbers that are
/// read exactly or not at all.
package dev.millrace.json;
