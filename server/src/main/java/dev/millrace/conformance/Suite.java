// SPDX-License-Identifier: Apache-2.0
package dev.millrace.conformance;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// All cases. Stateless.
final class Suite {
    private Suite() {}

    /// By their numbers.
    static List<Case> cases() {
        return Stream.of(
                        ServerCases.all(),
                        InferCases.all(),
                        ValueCases.all(),
                        JsonCases.all(),
                        HttpCases.all(),
                        BinaryCases.all(),
                        ExtensionCases.all())
                .flatMap(List::stream)
                .sorted(Comparator.comparing(Case::number))
                .toList();
    }

    /// Those that are asked for by numbers, ranges of numbers, ids or groups.
    ///
    /// @throws IllegalArgumentException if there is none of a name
    static List<Case> only(List<String> wanted) {
        List<Case> all = cases();
        if (wanted.isEmpty()) {
            return all;
        }
        List<Case> chosen = new ArrayList<>();
        for (String name : wanted) {
            List<Case> found = all.stream().filter(test -> isMeant(test, name)).toList();
            if (found.isEmpty()) {
                throw new IllegalArgumentException("there is no case '" + name + "'");
            }
            found.stream().filter(test -> !chosen.contains(test)).forEach(chosen::add);
        }
        return chosen;
    }

    private static boolean isMeant(Case test, String name) {
        if (name.matches("\\d{1,4}-\\d{1,4}")) {
            String[] ends = name.split("-");
            return test.number() >= Integer.parseInt(ends[0]) && test.number() <= Integer.parseInt(ends[1]);
        }
        return name.equals(Integer.toString(test.number())) || name.equals(test.id()) || name.equals(test.group());
    }

    /// The rows of a Markdown table.
    static List<String> markdown() {
        return cases().stream()
                .map(test -> "| %d | `%s` | %s | %s | %s |"
                        .formatted(test.number(), test.id(), test.level().label(), test.source(), test.expected()))
                .toList();
    }
}
