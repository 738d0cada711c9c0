// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import dev.millrace.json.JsonWriter;
import dev.millrace.monitor.Stage;
import dev.millrace.runtime.Call;
import dev.millrace.runtime.Timing;

/// One answered request and when it passed from stage to stage, in nanoseconds of a clock that is only good for
/// differences. Used again and again.
///
/// Threads: those of the [TraceRing] it lies in.
final class Trace {
    private Sampling sampling;
    private FrontEnd frontEnd;
    private String model;
    private long version;
    /// Null without one.
    private String id;

    private TracedTensors tensors;

    private long begun;
    private long decoded;
    private long queued;
    private long started;
    private long ran;
    private long delivered;
    private long ended;

    /// The stages follow one another without a gap, so their lengths and the end say when each began. Waiting is one
    /// stage, before and after the rows are copied; it is shown after.
    void fill(Sampling drawnBy, FrontEnd cameBy, Call call, String requestId, TracedTensors carried, long endNanos) {
        Timing timing = call.timing();
        sampling = drawnBy;
        frontEnd = cameBy;
        model = call.model();
        version = call.version();
        id = requestId;
        tensors = carried;
        ended = endNanos;
        delivered = ended - timing.nanos(Stage.ENCODE);
        ran = delivered - timing.nanos(Stage.DELIVER);
        started = ran - timing.nanos(Stage.RUN);
        queued = started - timing.nanos(Stage.QUEUE);
        decoded = queued - timing.nanos(Stage.ASSEMBLE);
        begun = decoded - timing.nanos(Stage.DECODE);
    }

    void clear() {
        sampling = null;
        id = null;
        model = null;
        tensors = null;
    }

    TracedTensors tensors() {
        return tensors;
    }

    TraceSettings settings() {
        return sampling.settings();
    }

    /// Writes it as Triton does: what it is of, and its times under the same number. The rows lie in the batch's tensor
    /// before the batch begins, so input takes no time of the run's.
    void write(JsonWriter json, long number) {
        json.raw("{\"id\":").number(number).raw(",\"model_name\":").string(model);
        json.raw(",\"model_version\":").number(version);
        if (id != null && !id.isEmpty()) {
            json.raw(",\"request_id\":").string(id);
        }
        json.raw('}');
        for (byte[] object : tensors.objects()) {
            json.raw(",\n{\"id\":").number(number).raw(object);
        }
        if (settings().timestamps()) {
            times(json, number);
        }
    }

    private void times(JsonWriter json, long number) {
        json.raw(",\n{\"id\":").number(number).raw(",\"timestamps\":[");
        time(json, frontEnd.receiving(), begun);
        time(json.raw(','), frontEnd.received(), decoded);
        time(json.raw(','), "REQUEST_START", decoded);
        time(json.raw(','), "QUEUE_START", queued);
        time(json.raw(','), "COMPUTE_START", started);
        time(json.raw(','), "COMPUTE_INPUT_END", started);
        time(json.raw(','), "COMPUTE_OUTPUT_START", ran);
        time(json.raw(','), "COMPUTE_END", delivered);
        time(json.raw(','), "REQUEST_END", delivered);
        time(json.raw(','), frontEnd.sending(), delivered);
        time(json.raw(','), frontEnd.sent(), ended);
        json.raw("]}");
    }

    private static void time(JsonWriter json, String name, long nanos) {
        json.raw("{\"name\":\"" + name + "\",\"ns\":").number(nanos).raw('}');
    }
}
