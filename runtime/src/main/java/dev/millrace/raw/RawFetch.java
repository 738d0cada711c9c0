// SPDX-License-Identifier: Apache-2.0
package dev.millrace.raw;

import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureSource;
import dev.millrace.features.ViewLayout;
import dev.millrace.features.ViewReader;
import dev.millrace.memory.Tensor;
import dev.millrace.remote.FetchedReader;
import dev.millrace.remote.FetchedView;
import dev.millrace.remote.RemoteSource;
import dev.millrace.remote.WantedView;
import dev.millrace.spec.FeatureView;
import dev.millrace.spec.ValueType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/// Fetches what views that are far away know of a request's entities, before its rows are written.
///
/// Threads: one at a time; what comes may come on any.
final class RawFetch implements FeatureSource {
    private static final FetchedView NOTHING = new FetchedView(Map.of(), null);

    private final RemoteSource source;
    private final FeaturePlan plan;
    private final List<Part> parts = new ArrayList<>();
    /// What comes, or null if nothing was asked for since the last request.
    private CompletableFuture<List<FetchedView>> coming;

    /// A view, the field of the request that has its keys, and who reads it.
    private record Part(FeatureView view, ViewLayout layout, int key, FetchedReader reader) {}

    RawFetch(RemoteSource source, FeaturePlan plan) {
        this.source = source;
        this.plan = plan;
    }

    /// Opens readers of the plan's row, and keeps those of views that are far away.
    @Override
    public ViewReader open(FeatureView view, ViewLayout layout) {
        ViewReader reader = source.open(view, layout);
        if (reader instanceof FetchedReader fetched) {
            int key = plan.field(view.entity().joinKey());
            parts.add(new Part(view, layout, key, fetched));
        }
        return reader;
    }

    /// Whether there is anything to fetch.
    boolean isNeeded() {
        return !parts.isEmpty();
    }

    /// Begins to fetch, which ends in time and normally; what was fetched before is forgotten.
    CompletableFuture<?> begin(Tensor[] inputs, long timeoutNanos) {
        List<WantedView> wanted = wanted(inputs);
        try {
            coming = source.remote().fetch(wanted, timeoutNanos).toCompletableFuture();
        } catch (RuntimeException e) {
            coming = CompletableFuture.completedFuture(failed(e));
        }
        return coming;
    }

    /// Fetches, and waits for it.
    void fetchNow(Tensor[] inputs, long timeoutNanos) {
        List<WantedView> wanted = wanted(inputs);
        List<FetchedView> views;
        try {
            views = source.remote().fetchNow(wanted, timeoutNanos);
        } catch (RuntimeException e) {
            views = failed(e);
        }
        coming = CompletableFuture.completedFuture(views);
    }

    private List<FetchedView> failed(RuntimeException why) {
        return Collections.nCopies(parts.size(), new FetchedView(Map.of(), "the store failed: " + why));
    }

    private List<WantedView> wanted(Tensor[] inputs) {
        List<WantedView> wanted = new ArrayList<>();
        for (Part part : parts) {
            wanted.add(new WantedView(part.view(), part.layout(), keys(part, inputs[part.key()])));
        }
        return wanted;
    }

    private Set<Object> keys(Part part, Tensor input) {
        Set<Object> keys = new HashSet<>();
        if (!input.hasShape()) {
            return keys;
        }
        boolean texts = part.view().entity().type() == ValueType.STRING;
        for (long i = 0; i < input.elementCount(); i++) {
            if (!input.isNull(i)) {
                keys.add(texts ? text(input, (int) i) : (Object) input.getLong(i));
            }
        }
        return keys;
    }

    private static String text(Tensor input, int index) {
        return new String(input.texts(), input.textOffset(index), input.textLength(index), StandardCharsets.UTF_8);
    }

    /// Whether something was asked for since the last request.
    boolean isBegun() {
        return coming != null;
    }

    /// Has the readers read what came, and waits for it if it has not.
    ///
    /// @return why the request is refused: a view could not be asked, and its policy is to refuse then; or null
    String take() {
        List<FetchedView> views = coming.join();
        String problem = null;
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            FetchedView view = views.get(i);
            part.reader().take(view);
            boolean rejects = part.view().policies().onUnavailable() == FeatureView.OnUnavailable.REJECT;
            if (rejects && view.problem() != null && problem == null) {
                problem = "stored values of view '" + part.view().name() + "' could not be had: " + view.problem();
            }
        }
        return problem;
    }

    /// What came was for the last request.
    void forget() {
        coming = null;
        parts.forEach(part -> part.reader().take(NOTHING));
    }

    /// Takes over what comes for another plan's rows, if that is the same.
    void adopt(RawFetch other) {
        boolean same = parts.size() == other.parts.size();
        for (int i = 0; same && i < parts.size(); i++) {
            same = parts.get(i).view().equals(other.parts.get(i).view());
        }
        coming = same ? other.coming : null;
    }
}
