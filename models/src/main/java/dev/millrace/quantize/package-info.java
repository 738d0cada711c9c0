// SPDX-License-Identifier: Apache-2.0
/// Models in eight bits: `Quantizer` measures what a model's values are like on data, and writes it with
/// integers for its matrix products and convolutions.
package dev.millrace.quantize;
