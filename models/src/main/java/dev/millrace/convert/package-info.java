// SPDX-License-Identifier: Apache-2.0
/// Models made from others, which give the same answers: optimised, in half precision, or for batches. What is made is
/// run beside what it was made of, on random inputs, before it is written.
///
/// Files that are written appear whole. What cannot be made is a [dev.millrace.convert.ConversionFailed].
package dev.millrace.convert;
