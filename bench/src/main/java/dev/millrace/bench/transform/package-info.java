// SPDX-License-Identifier: Apache-2.0
/// How fast files of rows become files of columns.
package dev.millrace.bench.transform;
