// SPDX-License-Identifier: Apache-2.0
package dev.millrace.quantize;

import java.util.List;
import java.util.Map;

/// What became of a model that was quantized. Immutable.
///
/// @param options how it was asked for
/// @param calibrationRows how many rows the ranges are from; 0 if none were needed
/// @param quantized how many nodes of each operator with a product calculate with integers now
/// @param left nodes with a product that stayed as they were, and why
/// @param reducedRange why weights leave one bit free; empty if they do not
/// @param bytesBefore of the model, with the files of its constants
/// @param bytesAfter of what was written
/// @param warnings what whoever uses it has to know
public record QuantizationReport(
        QuantizeOptions options,
        long calibrationRows,
        Map<String, Integer> quantized,
        Map<String, String> left,
        String reducedRange,
        long bytesBefore,
        long bytesAfter,
        List<String> warnings) {
    /// Makes the collections immutable.
    public QuantizationReport {
        quantized = java.util.Collections.unmodifiableMap(new java.util.TreeMap<>(quantized));
        left = java.util.Collections.unmodifiableMap(new java.util.LinkedHashMap<>(left));
        warnings = List.copyOf(warnings);
    }
}
