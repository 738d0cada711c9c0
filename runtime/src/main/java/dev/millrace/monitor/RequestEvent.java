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
import jdk.jfr.Timespan;

/// Flight Recorder's view of one answered request and where its time went.
///
/// Slow ones are recorded unless a recording says otherwise; `dev.millrace.Request#threshold=0ns` records all
/// that are timed. Nothing is made while no recording wants them. Threads: made by the request's owner, filled
/// and committed by whoever ends it.
@Name("dev.millrace.Request")
@Label("Request")
@Category("Millrace")
@Description("A request was answered; while there are many, one that was chosen to be timed")
@StackTrace(false)
@Threshold("10 ms")
public final class RequestEvent extends Event {
    private static final RequestEvent PROBE = new RequestEvent();

    @Label("Model")
    String model;

    @Label("Version")
    long version;

    @Label("Batch Rows")
    @Description("Rows of the batch that its last row was in")
    int batchRows;

    @Label("Decode")
    @Timespan
    long decode;

    @Label("Assemble")
    @Timespan
    long assemble;

    @Label("Queue")
    @Timespan
    long queue;

    @Label("Run")
    @Timespan
    long run;

    @Label("Deliver")
    @Timespan
    long deliver;

    @Label("Encode")
    @Timespan
    long encode;

    private RequestEvent() {}

    /// Whether a recording wants these events.
    @Hot
    static boolean isWanted() {
        return PROBE.isEnabled();
    }

    static RequestEvent begun() {
        RequestEvent event = new RequestEvent();
        event.begin();
        return event;
    }

    /// Says how long a stage took, in nanoseconds.
    public void took(Stage stage, long nanos) {
        switch (stage) {
            case DECODE -> decode = nanos;
            case ASSEMBLE -> assemble = nanos;
            case QUEUE -> queue = nanos;
            case RUN -> run = nanos;
            case DELIVER -> deliver = nanos;
            case ENCODE -> encode = nanos;
            case TOTAL -> end();
        }
    }
}
