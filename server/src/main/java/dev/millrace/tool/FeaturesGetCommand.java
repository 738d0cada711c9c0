// SPDX-License-Identifier: Apache-2.0
package dev.millrace.tool;

import dev.millrace.json.JsonWriter;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.Field;
import dev.millrace.store.FieldType;
import dev.millrace.store.Row;
import dev.millrace.store.View;
import dev.millrace.store.ViewReader;
import dev.millrace.store.ViewSchema;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `millrace features get`: the rows of entities.
@Command(
        name = "get",
        description = "Prints the rows of entities, as they are now; another process may write to the store meanwhile.",
        footer =
                "%nExit status: 0 when all were found; 1 when not, or the store cannot be read; 2 when called wrongly.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class FeaturesGetCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "STORE", description = "The store's folder.")
    private Path folder;

    @Parameters(index = "1", paramLabel = "VIEW", description = "The view's name.")
    private String viewName;

    @Parameters(index = "2..*", paramLabel = "KEY", arity = "1..*", description = "The entities' keys.")
    private List<String> keys;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Spec
    private CommandSpec spec;

    FeaturesGetCommand() {}

    @Override
    public Integer call() {
        return Complaints.of(spec).run(this::get);
    }

    private int get() throws IOException {
        try (EmbeddedStore store = EmbeddedStore.openToRead(folder)) {
            View view = store.view(viewName);
            try (ViewReader reader = view.reader()) {
                return json ? printJson(view.schema(), reader) : printTable(view.schema(), reader);
            }
        }
    }

    private static boolean find(ViewSchema schema, ViewReader reader, String key) {
        return schema.key().type() == FieldType.STRING
                ? reader.find(key)
                : reader.find(FeatureRows.integer(schema.key(), key));
    }

    private int printTable(ViewSchema schema, ViewReader reader) {
        List<List<String>> columns = new ArrayList<>();
        List<String> names = new ArrayList<>(List.of(schema.key().name(), "event time", "availability time"));
        schema.fields().forEach(field -> names.add(field.name()));
        columns.add(names);
        boolean all = true;
        for (String key : keys) {
            boolean found = find(schema, reader, key);
            columns.add(found ? column(key, reader.row()) : List.of(ReportText.plain(key), "not found"));
            all &= found;
        }
        Table table = new Table();
        for (int line = 0; line < names.size(); line++) {
            int at = line;
            table.row(columns.stream()
                    .map(column -> at < column.size() ? column.get(at) : "")
                    .toArray(String[]::new));
        }
        return print(table.toString(), all);
    }

    private static List<String> column(String key, Row row) {
        List<String> cells = new ArrayList<>(List.of(
                ReportText.plain(key), FieldText.time(row.eventTime()), FieldText.time(row.availabilityTime())));
        for (int field = 0; field < row.schema().fields().size(); field++) {
            cells.add(row.isNull(field) ? "null" : ReportText.plain(FieldText.of(row, field)));
        }
        return cells;
    }

    private int printJson(ViewSchema schema, ViewReader reader) {
        JsonWriter out = new JsonWriter();
        out.raw("{\"view\":").string(schema.name()).raw(",\"rows\":[");
        boolean all = true;
        for (int i = 0; i < keys.size(); i++) {
            boolean found = find(schema, reader, keys.get(i));
            all &= found;
            out.raw(i == 0 ? "" : ",").raw("{\"key\":");
            if (schema.key().type() == FieldType.STRING) {
                out.string(keys.get(i));
            } else {
                out.number(FeatureRows.integer(schema.key(), keys.get(i)));
            }
            out.raw(",\"found\":").bool(found);
            if (found) {
                write(out, reader.row());
            }
            out.raw('}');
        }
        out.raw("]}");
        return print(new String(out.toBytes(), StandardCharsets.UTF_8), all);
    }

    private static void write(JsonWriter out, Row row) {
        out.raw(",\"event_time\":").string(FieldText.time(row.eventTime()));
        out.raw(",\"availability_time\":").string(FieldText.time(row.availabilityTime()));
        out.raw(",\"values\":{");
        List<Field> fields = row.schema().fields();
        for (int field = 0; field < fields.size(); field++) {
            out.raw(field == 0 ? "" : ",").string(fields.get(field).name()).raw(':');
            if (row.isNull(field)) {
                out.raw("null");
                continue;
            }
            switch (fields.get(field).type()) {
                case FLOAT64 -> out.number(row.getDouble(field));
                case FLOAT32 -> out.number(row.getFloat(field));
                case INT64 -> out.number(row.getLong(field));
                case INT32 -> out.number((long) row.getInt(field));
                case BOOL -> out.bool(row.getBoolean(field));
                case TIMESTAMP, STRING -> out.string(FieldText.of(row, field));
            }
        }
        out.raw('}');
    }

    private int print(String text, boolean all) {
        spec.commandLine().getOut().println(text.stripTrailing());
        spec.commandLine().getOut().flush();
        return all ? ExitCode.OK : ExitCode.SOFTWARE;
    }
}
