// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.json.JsonWriter;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.Field;
import dev.millrace.store.StoreStatistics;
import dev.millrace.store.View;
import dev.millrace.store.ViewSchema;
import dev.millrace.store.ViewStatistics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace features stats`: what a store holds.
@Command(
        name = "stats",
        description = "Prints what a feature store holds; another process may write to it meanwhile.",
        footer = "%nExit status: 0 when it can be read, and 1 when not; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class FeaturesStatsCommand implements Callable<Integer> {
    @Parameters(paramLabel = "STORE", description = "The store's folder.")
    private Path folder;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    FeaturesStatsCommand() {}

    @Override
    public Integer call() {
        return Complaints.of(spec).run(this::stats);
    }

    private int stats() throws IOException {
        try (EmbeddedStore store = EmbeddedStore.openToRead(folder)) {
            String text = json ? json(store) : text(store);
            spec.commandLine().getOut().println(text.stripTrailing());
            spec.commandLine().getOut().flush();
            return ExitCode.OK;
        }
    }

    private static String text(EmbeddedStore store) throws IOException {
        StoreStatistics all = store.statistics();
        StringBuilder text = new StringBuilder();
        for (View view : store.views()) {
            ViewStatistics of = view.statistics();
            ViewSchema schema = view.schema();
            boolean any = of.entities() > 0;
            text.append(new Table()
                    .row("view", schema.name())
                    .row("key", schema.key().name() + " " + schema.key().typeText())
                    .row("fields", Integer.toString(schema.fields().size()))
                    .row("entities", ReportText.grouped(of.entities()))
                    .row("deleted", ReportText.grouped(of.deleted()))
                    .row("capacity", ReportText.grouped(of.capacity()))
                    .row("bytes", ReportText.grouped(of.bytes()))
                    .row("oldest event time", any ? FieldText.time(of.oldestEventTime()) : "none")
                    .row("newest event time", any ? FieldText.time(of.newestEventTime()) : "none"));
            text.append('\n');
        }
        return text.append(new Table()
                        .row("batches", ReportText.grouped(all.sequence()))
                        .row("log bytes", ReportText.grouped(all.logBytes()))
                        .row("bytes of all files", ReportText.grouped(all.fileBytes())))
                .toString();
    }

    private static String json(EmbeddedStore store) throws IOException {
        StoreStatistics all = store.statistics();
        JsonWriter out = new JsonWriter();
        out.raw("{\"batches\":").number(all.sequence());
        out.raw(",\"log_bytes\":").number(all.logBytes());
        out.raw(",\"file_bytes\":").number(all.fileBytes()).raw(",\"views\":[");
        List<View> views = store.views();
        for (int i = 0; i < views.size(); i++) {
            out.raw(i == 0 ? "" : ",");
            write(out, views.get(i));
        }
        return new String(out.raw("]}").toBytes(), StandardCharsets.UTF_8);
    }

    private static void write(JsonWriter out, View view) {
        ViewStatistics of = view.statistics();
        ViewSchema schema = view.schema();
        out.raw("{\"name\":").string(schema.name()).raw(",\"digest\":").string(schema.digest());
        out.raw(",\"key\":");
        write(out, schema.key());
        out.raw(",\"fields\":[");
        for (int i = 0; i < schema.fields().size(); i++) {
            out.raw(i == 0 ? "" : ",");
            write(out, schema.fields().get(i));
        }
        out.raw("],\"entities\":").number(of.entities());
        out.raw(",\"deleted\":").number(of.deleted());
        out.raw(",\"capacity\":").number(of.capacity());
        out.raw(",\"bytes\":").number(of.bytes());
        if (of.entities() > 0) {
            out.raw(",\"oldest_event_time\":").string(FieldText.time(of.oldestEventTime()));
            out.raw(",\"newest_event_time\":").string(FieldText.time(of.newestEventTime()));
        }
        out.raw('}');
    }

    private static void write(JsonWriter out, Field field) {
        out.raw("{\"name\":").string(field.name()).raw(",\"type\":").string(field.typeText());
        out.raw('}');
    }
}
