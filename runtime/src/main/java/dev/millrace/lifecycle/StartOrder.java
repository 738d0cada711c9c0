// SPDX-License-Identifier: Apache-2.0
package dev.millrace.lifecycle;

import dev.millrace.lifecycle.RepositoryLook.Found;
import dev.millrace.model.ConfiguredModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The order in which models are loaded at the start.
///
/// @param models those that need no others, which may be loaded at the same time
/// @param ensembles each after those that it is made of
/// @param circles ensembles that are made of one another, or of such
public record StartOrder(List<Found> models, List<Found> ensembles, List<Found> circles) {
    /// Puts models in order.
    public static StartOrder of(Collection<Found> all) {
        List<Found> models = new ArrayList<>();
        Map<String, Found> left = new TreeMap<>();
        for (Found found : all) {
            if (found.model().flatMap(ConfiguredModel::ensemble).isPresent()) {
                left.put(found.name(), found);
            } else {
                models.add(found);
            }
        }
        List<Found> ensembles = new ArrayList<>();
        Optional<Found> next = ready(left);
        while (next.isPresent()) {
            ensembles.add(next.get());
            left.remove(next.get().name());
            next = ready(left);
        }
        return new StartOrder(models, ensembles, List.copyOf(left.values()));
    }

    private static Optional<Found> ready(Map<String, Found> left) {
        return left.values().stream()
                .filter(found -> found.parts().stream().noneMatch(left::containsKey))
                .findFirst();
    }

    /// Makes the lists immutable.
    public StartOrder {
        models = List.copyOf(models);
        ensembles = List.copyOf(ensembles);
        circles = List.copyOf(circles);
    }
}
