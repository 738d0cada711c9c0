// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// The dashboard for Grafana asks for metrics and labels that a server has.
class DashboardTest {
    private static final Pattern NAME = Pattern.compile("\\b((?:millrace|nv|jvm|process|system)_\\w+)(?:\\{([^}]*)})?");
    private static final Pattern LABEL = Pattern.compile("(\\w+)(?:=~|!=|!~|=)\"");
    private static final Pattern BY = Pattern.compile("by \\(([^)]*)\\)");

    private static List<String> expressions(JsonTree tree) {
        List<String> found = new ArrayList<>();
        if (tree.value() instanceof Map<?, ?>) {
            tree.members().forEach((name, member) -> {
                if (name.equals("expr") || name.equals("query")) {
                    found.add(member.text());
                } else {
                    found.addAll(expressions(member));
                }
            });
        } else if (tree.value() instanceof List<?>) {
            tree.elements().forEach(element -> found.addAll(expressions(element)));
        }
        return found;
    }

    @Test
    void shouldAskForWhatAServerHas() throws IOException {
        JsonTree dashboard = JsonTree.parse(Files.readString(Path.of("../docs/grafana/millrace.json")));
        List<String> expressions = expressions(dashboard);
        String metrics;
        try (TestServer server = TestServer.start()) {
            server.infer("linear", Bodies.LINEAR).data();
            server.get("/metrics");
            metrics = server.get("/metrics").body();
        }
        Set<String> asked = new TreeSet<>();
        for (String expression : expressions) {
            Matcher name = NAME.matcher(expression);
            while (name.find()) {
                asked.add(name.group(1));
                List<String> labels = new ArrayList<>();
                LABEL.matcher(name.group(2) == null ? "" : name.group(2))
                        .results()
                        .forEach(label -> labels.add(label.group(1)));
                BY.matcher(expression)
                        .results()
                        .forEach(by -> labels.addAll(List.of(by.group(1).split(", "))));
                for (String label : labels) {
                    assertThat(metrics)
                            .as("%s of %s in %s", label, name.group(1), expression)
                            .containsPattern("(?m)^" + name.group(1) + "\\{(.*,)?" + label + "=\"");
                }
                assertThat(metrics)
                        .as("%s in %s", name.group(1), expression)
                        .containsPattern("(?m)^" + name.group(1) + "[{ ]");
            }
        }
        assertThat(asked)
                .hasSizeGreaterThan(20)
                .contains("millrace_request_seconds", "millrace_batch_rows_bucket", "nv_inference_queue_duration_us");
    }

    @Test
    void shouldNumberItsPanelsAndLeaveNoneOut() throws IOException {
        JsonTree dashboard = JsonTree.parse(Files.readString(Path.of("../docs/grafana/millrace.json")));
        List<JsonTree> panels = dashboard.get("panels").elements();
        Set<String> ids = new TreeSet<>();

        for (JsonTree panel : panels) {
            ids.add(panel.get("id").value().toString());
            boolean row = panel.get("type").text().equals("row");
            assertThat(panel.get("title").text()).isNotEmpty();
            assertThat(row || !panel.get("targets").elements().isEmpty())
                    .as("%s shows something", panel.get("title"))
                    .isTrue();
        }
        assertThat(ids).hasSameSizeAs(panels);
    }
}
