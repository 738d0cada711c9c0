// SPDX-License-Identifier: Apache-2.0
/// What feature views knew at times in the past, from files: [dev.millrace.history.ViewHistory] is all rows that a view
/// ever had, and [dev.millrace.history.PointInTime] gives a plan those that were known when a request came.
package dev.millrace.history;
