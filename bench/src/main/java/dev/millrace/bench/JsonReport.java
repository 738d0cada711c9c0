// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import dev.millrace.bench.wire.ServerProcess;
import dev.millrace.bench.wire.Wrk;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/// Results as JSON: every measurement, for other programs to compare.
final class JsonReport {
    private final JsonGenerator json;

    private JsonReport(JsonGenerator json) {
        this.json = json;
    }

    static String of(Results results) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text).useDefaultPrettyPrinter()) {
            new JsonReport(json).write(results);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append('\n').toString();
    }

    private void write(Results results) throws IOException {
        json.writeStartObject();
        json.writeStringField("taken", results.taken().toString());
        json.writeStringField("effort", results.effort().name());
        json.writeObjectFieldStart("machine");
        for (Map.Entry<String, String> fact : results.machine().entrySet()) {
            json.writeStringField(fact.getKey(), fact.getValue());
        }
        json.writeEndObject();
        json.writeArrayFieldStart("latencies");
        for (var entry : results.latencies().entrySet()) {
            for (Latency latency : entry.getValue()) {
                write(json, entry.getKey(), latency);
            }
        }
        json.writeEndArray();
        json.writeArrayFieldStart("throughputs");
        for (var entry : results.throughputs().entrySet()) {
            for (Saturation.Throughput throughput : entry.getValue()) {
                write(entry.getKey(), throughput);
            }
        }
        json.writeEndArray();
        if (results.mix().isPresent()) {
            write(results.mix().get());
        }
        writeNeighbours(results.neighbours());
        if (results.http().isPresent()) {
            write(results.http().get());
        }
        for (Section section : results.sections()) {
            section.write(json);
        }
        json.writeEndObject();
    }

    /// One measurement of a case.
    static void write(JsonGenerator json, Case subject, Latency latency) throws IOException {
        json.writeStartObject();
        json.writeStringField("model", subject.model());
        json.writeStringField("route", subject.route().name());
        json.writeNumberField("batch", subject.batch());
        json.writeNumberField("meanNanos", latency.mean());
        json.writeNumberField("p50Nanos", latency.p50());
        json.writeNumberField("p99Nanos", latency.p99());
        json.writeNumberField("p999Nanos", latency.p999());
        json.writeNumberField("bytes", latency.bytes());
        json.writeEndObject();
    }

    private void write(Saturation.Scenario scenario, Saturation.Throughput throughput) throws IOException {
        json.writeStartObject();
        json.writeStringField("scenario", scenario.name());
        json.writeNumberField("rowsPerSecond", throughput.rowsPerSecond());
        json.writeNumberField("meanBatch", throughput.meanBatch());
        json.writeNumberField("floor64RowsPerSecond", throughput.floor64());
        json.writeNumberField("floorFormedRowsPerSecond", throughput.floorFormed());
        json.writeNumberField("bytesPerRow", throughput.bytes());
        json.writeEndObject();
    }

    private void write(Mix.Findings mix) throws IOException {
        json.writeArrayFieldStart("mix");
        for (var entry : mix.trials().entrySet()) {
            for (Mix.Trial trial : entry.getValue()) {
                json.writeStartObject();
                json.writeStringField("load", entry.getKey().name());
                json.writeNumberField("agents", mix.agents());
                json.writeNumberField("heavyRowsPerSecond", trial.rowsPerSecond());
                write("floor", trial.floor());
                write("call", trial.call());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private void writeNeighbours(Map<Integer, List<Neighbours.Trial>> neighbours) throws IOException {
        json.writeArrayFieldStart("neighbours");
        for (var entry : neighbours.entrySet()) {
            for (Neighbours.Trial trial : entry.getValue()) {
                json.writeStartObject();
                json.writeNumberField("number", entry.getKey());
                write("floor", trial.floor());
                write("inline", trial.inline());
                write("agents", trial.agents());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private void write(String route, ClosedLoop.Timing timing) throws IOException {
        json.writeObjectFieldStart(route);
        json.writeNumberField("p50Nanos", timing.p50());
        json.writeNumberField("p99Nanos", timing.p99());
        json.writeNumberField("p999Nanos", timing.p999());
        json.writeEndObject();
    }

    private void write(HttpBench.Findings http) throws IOException {
        json.writeObjectFieldStart("http");
        json.writeStringField("flags", String.join(" ", ServerProcess.flags()));
        json.writeNumberField("requestBytes", http.requestBytes());
        json.writeNumberField("answerBytes", http.answerBytes());
        json.writeArrayFieldStart("loads");
        for (var entry : http.loads().entrySet()) {
            for (HttpBench.Both<Wrk.Load> both : entry.getValue()) {
                write("echo", entry.getKey(), both.echo());
                write("millrace", entry.getKey(), both.millrace());
            }
        }
        json.writeEndArray();
        json.writeArrayFieldStart("starts");
        for (HttpBench.Both<Double> both : http.starts()) {
            json.writeStartObject();
            json.writeNumberField("echoMillis", both.echo());
            json.writeNumberField("millraceMillis", both.millrace());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeNumberField("memorySeconds", http.memorySeconds());
        json.writeNumberField("echoResidentMebibytes", http.memory().echo());
        json.writeNumberField("millraceResidentMebibytes", http.memory().millrace());
        json.writeEndObject();
    }

    private void write(String server, int connections, Wrk.Load load) throws IOException {
        json.writeStartObject();
        json.writeStringField("server", server);
        json.writeNumberField("connections", connections);
        json.writeNumberField("requestsPerSecond", load.requestsPerSecond());
        json.writeNumberField("p50Micros", load.p50());
        json.writeNumberField("p99Micros", load.p99());
        json.writeEndObject();
    }
}
