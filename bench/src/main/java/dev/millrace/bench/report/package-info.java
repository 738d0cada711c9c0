// SPDX-License-Identifier: Apache-2.0
/// How measurements are shown, whatever was measured: spreads, tables, charts, and the machine.
package dev.millrace.bench.report;
