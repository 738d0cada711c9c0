// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.guard;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.millrace.bench.report.Section;
import java.io.IOException;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/// What came of a server with little memory, for a report.
record MemoryReport(MemoryLoad.Findings findings) implements Section {
    private static final double MEBIBYTE = 1 << 20;
    private static final Pattern NUMBERS = Pattern.compile("\\d{3,}\\D+\\d{3,}");
    /// All that the server may take, in MiB.
    private static final int MAY_TAKE = MemoryLoad.LIMIT_MEBIBYTES
            + MemoryLoad.HEAP_MEBIBYTES
            + MemoryLoad.DIRECT_MEBIBYTES
            + MemoryLoad.JVM_MEBIBYTES;

    @Override
    public String broken() {
        Text broken = new Text();
        MemoryLoad.Use highest = findings.highest().orMore(findings.loading());
        findings.limits().forEach((part, limit) -> {
            long booked = highest.booked().getOrDefault(part, 0L);
            if (booked > limit) {
                broken.line("%,d bytes of %s were booked, %,d may be.", booked, part, limit);
            }
        });
        if (!(highest.resident() <= MAY_TAKE)) {
            broken.line("%.0f MiB were in RAM, %d may be.", highest.resident(), MAY_TAKE);
        }
        findings.bySize().forEach((bytes, requests) -> broken(broken, bytes, requests));
        if (findings.afterwards() != Asker.OK) {
            broken.line("a small request was answered %d afterwards.", findings.afterwards());
        }
        if (!NUMBERS.matcher(findings.refusal()).find()) {
            broken.line("the load of a model that does not fit was answered '%s'.", findings.refusal());
        }
        return broken.stripped();
    }

    private static void broken(Text broken, int bytes, MemoryLoad.Requests requests) {
        int known = requests.count(Asker.OK) + requests.refused() + requests.count(Asker.LOST);
        int all = all(requests);
        if (known < all) {
            broken.line(
                    "%d requests of %,d bytes were answered otherwise or never: %s.",
                    all - known, bytes, requests.statuses());
        }
        if (requests.told() < requests.refused()) {
            broken.line(
                    "%d of %d refused requests of %,d bytes were not told numbers.",
                    requests.refused() - requests.told(), requests.refused(), bytes);
        }
    }

    private static int all(MemoryLoad.Requests requests) {
        return requests.statuses().values().stream().mapToInt(Integer::intValue).sum();
    }

    @Override
    public String markdown() {
        Text text = new Text().line("## A server with little memory").line("");
        text.line(
                "`--memory-limit` %d MiB, `-Xmx` %d MiB, `-XX:MaxDirectMemorySize` %d MiB, and %d MiB that the runtime"
                        + " plans for the rest of the JVM: %d MiB in all. Eight clients ask for tensors of all sizes at"
                        + " the same time. MiB, looked at every 10 ms.",
                MemoryLoad.LIMIT_MEBIBYTES,
                MemoryLoad.HEAP_MEBIBYTES,
                MemoryLoad.DIRECT_MEBIBYTES,
                MemoryLoad.JVM_MEBIBYTES,
                MAY_TAKE);
        use(text);
        sizes(text);
        text.line("");
        text.line(
                "A small request afterwards: %d. The load of a model of %,d bytes: `%s`.",
                findings.afterwards(), findings.modelBytes(), findings.refusal());
        return text.toString();
    }

    private void use(Text text) {
        text.head("what", "limit", "before the load", "highest under it", "after it", "highest while loading");
        text.line(
                "| in RAM | %d | %.0f | %.0f | %.0f | %.0f |",
                MAY_TAKE,
                findings.idle().resident(),
                findings.highest().resident(),
                findings.after().resident(),
                findings.loading().resident());
        text.line(
                "| native, owned by the runtime | %d | %s | %s | %s | %s |",
                MemoryLoad.LIMIT_MEBIBYTES,
                mebibytes(findings.idle().owned()),
                mebibytes(findings.highest().owned()),
                mebibytes(findings.after().owned()),
                mebibytes(findings.loading().owned()));
        findings.limits()
                .forEach((part, limit) -> text.line(
                        "| booked: %s | %s | %s | %s | %s | %s |",
                        part,
                        mebibytes(limit),
                        booked(findings.idle(), part),
                        booked(findings.highest(), part),
                        booked(findings.after(), part),
                        booked(findings.loading(), part)));
    }

    private void sizes(Text text) {
        text.head(
                "MiB in a request",
                "requests",
                "200",
                "413",
                "429",
                "503",
                "connection lost",
                "no answer in 10 s",
                "told numbers");
        findings.bySize()
                .forEach((bytes, requests) -> text.line(
                        "| %.3f | %,d | %,d | %,d | %,d | %,d | %,d | %,d | %,d of %,d |",
                        bytes / MEBIBYTE,
                        all(requests),
                        requests.count(Asker.OK),
                        requests.count(Asker.TOO_LARGE),
                        requests.count(Asker.OVERLOADED),
                        requests.count(Asker.UNAVAILABLE),
                        requests.count(Asker.LOST),
                        requests.count(Asker.UNANSWERED),
                        requests.told(),
                        requests.refused()));
    }

    private static String booked(MemoryLoad.Use use, String part) {
        return mebibytes(use.booked().getOrDefault(part, 0L));
    }

    private static String mebibytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / MEBIBYTE);
    }

    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("memory");
        json.writeNumberField("limitMebibytes", MAY_TAKE);
        write(json, "limits", findings.limits());
        write(json, "idle", findings.idle());
        write(json, "highest", findings.highest());
        write(json, "after", findings.after());
        write(json, "loading", findings.loading());
        json.writeArrayFieldStart("requests");
        for (Map.Entry<Integer, MemoryLoad.Requests> entry : findings.bySize().entrySet()) {
            json.writeStartObject();
            json.writeNumberField("bytes", entry.getKey());
            for (Map.Entry<Integer, Integer> status :
                    entry.getValue().statuses().entrySet()) {
                String name = status.getKey() == Asker.UNANSWERED ? "unanswered" : "status" + status.getKey();
                json.writeNumberField(name, status.getValue());
            }
            json.writeNumberField("told", entry.getValue().told());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeNumberField("afterwards", findings.afterwards());
        json.writeNumberField("modelBytes", findings.modelBytes());
        json.writeStringField("refusal", findings.refusal());
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String name, MemoryLoad.Use use) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeNumberField("residentMebibytes", use.resident());
        json.writeNumberField("ownedBytes", use.owned());
        write(json, "booked", use.booked());
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, String name, Map<String, Long> bytes) throws IOException {
        json.writeObjectFieldStart(name);
        for (Map.Entry<String, Long> part : bytes.entrySet()) {
            json.writeNumberField(part.getKey(), part.getValue());
        }
        json.writeEndObject();
    }
}
