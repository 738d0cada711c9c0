// SPDX-License-Identifier: Apache-2.0
package dev.millrace.history;

import dev.millrace.features.FeatureSource;
import dev.millrace.features.ViewLayout;
import dev.millrace.features.ViewReader;
import dev.millrace.memory.Hot;
import dev.millrace.spec.FeatureView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Gives a plan the rows of histories that were known at a moment, which is said before each row:
///
/// ```
/// PointInTime moment = new PointInTime(histories, FeatureSource.NONE);
/// FeatureRow row = plan.newRow(moment);
/// moment.at(time);
/// row.begin(time);
/// ```
///
/// Threads: one, which is also that of the row. Ownership: the histories stay their owner's.
public final class PointInTime implements FeatureSource {
    private final Map<String, ViewHistory> histories = new HashMap<>();
    private final FeatureSource others;
    private long micros;

    /// @param others who has the views without a history
    public PointInTime(List<ViewHistory> histories, FeatureSource others) {
        histories.forEach(history -> this.histories.put(history.view().name(), history));
        this.others = others;
    }

    @Override
    public ViewReader open(FeatureView view, ViewLayout layout) {
        ViewHistory history = histories.get(view.name());
        if (history == null) {
            return others.open(view, layout);
        }
        if (!history.view().fields().equals(view.fields())) {
            throw new IllegalArgumentException("view '" + view.name() + "' has the fields " + view.fields()
                    + ", but its history was read with " + history.view().fields());
        }
        return history.reader(this);
    }

    /// Says when the next row's request came, in microseconds since 1970.
    @Hot
    public void at(long timeMicros) {
        micros = timeMicros;
    }

    @Hot
    long micros() {
        return micros;
    }
}
