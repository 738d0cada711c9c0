// SPDX-License-Identifier: Apache-2.0
/// `millrace features transform` and `explain`: what the features of a specification are for the
/// rows of a file, or for one row, computed by the same plan as when serving.
package dev.millrace.transform;
