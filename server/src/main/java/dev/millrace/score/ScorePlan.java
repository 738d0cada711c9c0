// SPDX-License-Identifier: Apache-2.0
package dev.millrace.score;

import dev.millrace.table.Column;
import dev.millrace.table.TableFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What is to be scored, and how.
///
/// @param data where the rows come from
/// @param inputs how they become the model's inputs
/// @param keep columns of the data that are written, too
/// @param out where the answers go
/// @param onError what is done about rows without an answer
/// @param batchRows how many rows go to the model in one request
/// @param limit the most rows that are read
record ScorePlan(
        TableFile data, InputBinding inputs, List<Column> keep, Path out, OnError onError, int batchRows, long limit) {
    /// No limit.
    static final long ALL = Long.MAX_VALUE;

    /// What is read: the inputs' columns, and those that are kept.
    List<Column> columns() {
        List<Column> all = new ArrayList<>(inputs.columns());
        all.addAll(keep);
        return all;
    }
}
