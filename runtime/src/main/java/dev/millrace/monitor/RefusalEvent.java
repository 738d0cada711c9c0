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

/// Flight Recorder's view of one request that was not accepted.
///
/// It takes no time, so that by the default threshold none is recorded: under overload they come by the thousand.
/// `dev.millrace.Refusal#threshold=0ns` records all. Nothing is made while no recording wants them. Threads: that of
/// the request.
@Name("dev.millrace.Refusal")
@Label("Refused Request")
@Category("Millrace")
@Description("A request was not accepted")
@StackTrace(false)
@Threshold("10 ms")
final class RefusalEvent extends Event {
    private static final RefusalEvent PROBE = new RefusalEvent();

    @Label("Model")
    String model;

    @Label("Version")
    long version;

    @Label("Reason")
    String reason;

    private RefusalEvent() {}

    /// Whether a recording wants these events.
    @Hot
    static boolean isWanted() {
        return PROBE.isEnabled();
    }

    static void record(String model, long version, String reason) {
        RefusalEvent event = new RefusalEvent();
        event.begin();
        event.end();
        if (event.shouldCommit()) {
            event.model = model;
            event.version = version;
            event.reason = reason;
            event.commit();
        }
    }
}
