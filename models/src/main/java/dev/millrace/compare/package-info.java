// SPDX-License-Identifier: Apache-2.0
/// A model beside another on the same data: how far their answers differ, which decisions change, what that costs in
/// quality, and what it gains in size and time. [dev.millrace.compare.Comparison] is where to begin.
package dev.millrace.compare;
