// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import dev.millrace.spec.FeatureView;
import dev.millrace.table.Column;
import dev.millrace.table.TableFile;
import java.io.IOException;
import java.util.List;

/// All rows that a view of kind store ever had, from a file, so that it can be told which of them
/// was served at a time.
///
/// That is, of the rows of an entity whose event time is not after the time, nor their creation if
/// the view has a `created_timestamp_field`, the one with the greatest event time; of several of
/// these the one that was created last; of several of these the last one in the file. It is the row
/// that an embedded store would have had then.
///
/// Threads: any, once it is there. Memory: outside of the heap a row as [ViewLayout] says, in
/// multiples of 8 bytes, counted as [dev.millrace.memory.MemoryTag#STORE]; on the heap 16 bytes for
/// a row, 24 with creations, and 20 to 28 for an entity; up to three times that while it is read. Ownership:
/// whoever read it closes it, when no plan uses it any more.
public final class ViewHistory implements AutoCloseable {
    private final FeatureView view;
    private final KeyIndex keys;
    private final HistoryIndex index;
    private final RowMemory memory;
    private final long ahead;

    ViewHistory(FeatureView view, KeyIndex keys, HistoryIndex index, RowMemory memory, long ahead) {
        this.view = view;
        this.keys = keys;
        this.index = index;
        this.memory = memory;
        this.ahead = ahead;
    }

    /// Reads a file with columns named as the entity's join key, the view's times and all of its
    /// fields.
    ///
    /// @param view one of kind store
    /// @throws dev.millrace.dataset.InvalidDataException if a column is not there, or a row has no
    ///     key, no time, or a value that its field cannot have; the message names the file, the
    ///     row and the column
    /// @throws IllegalArgumentException if the view has no `timestamp_field`
    public static ViewHistory read(TableFile file, FeatureView view) throws IOException {
        return new HistoryFile(file, view).read();
    }

    /// What is read of such a file: the key, the event time, the creation if the view has one, then the
    /// fields.
    ///
    /// @throws IllegalArgumentException if the view has no `timestamp_field`
    /// @throws dev.millrace.dataset.InvalidDataException if a column is not there
    public static List<Column> columns(TableFile file, FeatureView view) throws IOException {
        return HistoryFile.columns(file, view);
    }

    /// The view.
    public FeatureView view() {
        return view;
    }

    /// How many rows it has.
    public long rows() {
        return index.rows();
    }

    /// How many entities they are about.
    public long entities() {
        return keys.size();
    }

    /// How many rows were created before their event time. A store serves those from their creation
    /// on, and this only from their event time on.
    public long ahead() {
        return ahead;
    }

    /// How many bytes it takes, without its keys.
    public long bytes() {
        return memory.bytes() + index.bytes();
    }

    HistoryReader reader(PointInTime moment) {
        return new HistoryReader(moment, keys, index, memory);
    }

    @Override
    public void close() {
        memory.close();
    }
}
