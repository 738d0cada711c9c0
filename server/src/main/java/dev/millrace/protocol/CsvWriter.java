// SPDX-License-Identifier: Apache-2.0
package dev.millrace.protocol;

import dev.millrace.json.JsonWriter;
import dev.millrace.memory.DataType;
import dev.millrace.memory.Tensor;
import dev.millrace.runtime.Call;
import java.nio.charset.StandardCharsets;

/// Writes the outputs of a call as comma-separated values: a line for each row, with the row's elements of all outputs,
/// in the order of the model. Outputs that have no rows are one line. Threads: stateless.
public final class CsvWriter {
    private CsvWriter() {}

    /// Writes an answer.
    ///
    /// @param call one that has ended well
    /// @param rows whether the request had rows
    public static void write(JsonWriter csv, Call call, boolean rows) {
        long lines = rows && haveRows(call) ? call.input(0).dim(0) : 1;
        for (long line = 0; line < lines; line++) {
            boolean first = true;
            for (int output = 0; output < call.signature().outputs().size(); output++) {
                Tensor tensor = call.output(output);
                long count = tensor.elementCount() / lines;
                for (long i = line * count; i < (line + 1) * count; i++) {
                    if (!first) {
                        csv.raw(',');
                    }
                    element(csv, tensor, i);
                    first = false;
                }
            }
            csv.raw('\n');
        }
    }

    private static boolean haveRows(Call call) {
        long rows = call.input(0).dim(0);
        for (int output = 0; output < call.signature().outputs().size(); output++) {
            Tensor tensor = call.output(output);
            if (tensor.rank() == 0 || tensor.dim(0) != rows) {
                return false;
            }
        }
        return true;
    }

    private static void element(JsonWriter csv, Tensor tensor, long index) {
        if (tensor.datatype() != DataType.BYTES) {
            csv.element(tensor, index);
            return;
        }
        String text = tensor.getString((int) index);
        boolean plain = text.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        String field = plain ? text : '"' + text.replace("\"", "\"\"") + '"';
        csv.raw(field.getBytes(StandardCharsets.UTF_8));
    }
}
