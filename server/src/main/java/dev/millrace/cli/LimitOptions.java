// SPDX-License-Identifier: Apache-2.0
package dev.millrace.cli;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import dev.millrace.load.DurationConverter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;

/// An option for every limit. Threads: one.
final class LimitOptions {
    private static final String HEADING = "%nWhat clients may take; docs/limits.md says more:%n";

    private final Map<Limit, Long> given = new EnumMap<>(Limit.class);

    void addTo(CommandSpec command) {
        ArgGroupSpec.Builder group =
                ArgGroupSpec.builder().heading(HEADING).validate(false).exclusive(false);
        for (Limit limit : Limit.values()) {
            group.addArg(limit.unit() == Limit.Unit.MILLIS ? time(limit) : number(limit));
        }
        command.addArgGroup(group.build());
    }

    private OptionSpec number(Limit limit) {
        return OptionSpec.builder(limit.option())
                .paramLabel(limit.unit() == Limit.Unit.BYTES ? "BYTES" : "N")
                .description(limit.description() + " Default: " + limit.standard() + ".")
                .type(long.class)
                .setter(new Setter(given, limit))
                .build();
    }

    private OptionSpec time(Limit limit) {
        return OptionSpec.builder(limit.option())
                .paramLabel("DURATION")
                .description(limit.description() + " Default: " + limit.standard() / 1000 + "s; 0s for no limit.")
                .type(Duration.class)
                .converters(new DurationConverter())
                .setter(new Setter(given, limit))
                .build();
    }

    /// The limits that were asked for.
    ///
    /// @throws IllegalArgumentException if one cannot have its value
    Limits values() {
        Limits limits = Limits.DEFAULT;
        for (Map.Entry<Limit, Long> entry : given.entrySet()) {
            limits = limits.with(entry.getKey(), entry.getValue());
        }
        return limits;
    }

    /// Puts what picocli has read where it belongs.
    private record Setter(Map<Limit, Long> given, Limit limit) implements ISetter {
        @Override
        public <T> T set(T value) {
            switch (value) {
                case Long number -> given.put(limit, number);
                case Duration time -> given.put(limit, time.toMillis());
                case null, default -> given.remove(limit);
            }
            return null;
        }
    }
}
