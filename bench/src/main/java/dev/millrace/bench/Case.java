// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench;

import dev.millrace.bench.model.BenchModels;
import dev.millrace.bench.route.Route;
import java.util.ArrayList;
import java.util.List;

/// One line of the latency tables.
///
/// @param model the model's name
/// @param route the way to the answer
/// @param batch rows per call
record Case(String model, Route route, int batch) {
    private static final int[] BATCHES = {64, 128};

    /// The small models by all routes, those to be compared next to each other and the floor first.
    static List<Case> small() {
        List<Case> cases = new ArrayList<>();
        for (Route route : Route.values()) {
            cases.add(new Case(BenchModels.MLP.name(), route, 1));
        }
        for (int batch : BATCHES) {
            for (Route route : List.of(Route.FLOOR, Route.ORT_TYPICAL, Route.ORT_PINNED, Route.DJL, Route.CALL)) {
                cases.add(new Case(BenchModels.MLP.name(), route, batch));
            }
        }
        for (Route route : List.of(Route.FLOOR, Route.ROW_RUNNER, Route.CALL)) {
            cases.add(new Case(BenchModels.IDENTITY.name(), route, 1));
        }
        return List.copyOf(cases);
    }

    /// Larger rows and models, alone and in batches.
    static List<Case> larger() {
        List<Case> cases = new ArrayList<>();
        add(cases, BenchModels.LARGE_MLP, 1, 32);
        add(cases, BenchModels.IMAGES, 1, 8);
        add(cases, BenchModels.TREES, 1, 64);
        return List.copyOf(cases);
    }

    private static void add(List<Case> cases, String model, int... batches) {
        for (int batch : batches) {
            for (Route route : List.of(Route.FLOOR, Route.ORT_TYPICAL, Route.CALL)) {
                cases.add(new Case(model, route, batch));
            }
        }
    }

    /// The floor that it is compared with.
    Case floor() {
        return new Case(model, Route.FLOOR, batch);
    }

    String describe() {
        return model + ", batch " + batch + ", " + route.title();
    }
}
