// SPDX-License-Identifier: Apache-2.0
package dev.millrace.monitor;

import dev.millrace.memory.Hot;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;

/// Flight Recorder's view of one batch, from the start of its run until its requests were answered.
///
/// Slow ones are recorded unless a recording says otherwise; `dev.millrace.Batch#threshold=0ns` records all.
/// Nothing is made while no recording wants them. Threads: made, filled and committed by whoever has the slice.
@Name("dev.millrace.Batch")
@Label("Batch")
@Category("Millrace")
@Description("A batch was run and its requests were answered")
@StackTrace(false)
@Threshold("10 ms")
public final class BatchEvent extends Event {
    private static final BatchEvent PROBE = new BatchEvent();

    @Label("Model")
    String model;

    @Label("Version")
    long version;

    @Label("Instance")
    int instance;

    @Label("Rows")
    int rows;

    @Label("Dead Rows")
    @Description("Rows that nobody waited for any more when they had been run")
    int deadRows;

    @Label("Queued Rows")
    @Description("Rows that waited behind it when it ended")
    int queuedRows;

    @Label("Failed")
    boolean failed;

    private BatchEvent() {}

    /// Whether a recording wants these events.
    @Hot
    static boolean isWanted() {
        return PROBE.isEnabled();
    }

    static BatchEvent begun() {
        BatchEvent event = new BatchEvent();
        event.begin();
        return event;
    }
}
