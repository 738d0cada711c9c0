// SPDX-License-Identifier: Apache-2.0
package dev.millrace.runtime;

import dev.millrace.lifecycle.VersionState;
import dev.millrace.monitor.LastingCounts;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// The model versions that are served, by what names, and why others are not.
///
/// Threads: any. A reader sees one picture that never changes; it is replaced whole by whoever loads. Ownership: the
/// versions belong to whoever closes them.
final class Catalog {
    /// Why a version is not served that once was.
    static final String UNLOADED = "unloaded";

    /// The most versions that are remembered after they were unloaded, of each model.
    private static final int MOST_UNLOADED = 16;

    /// What is known of one model.
    ///
    /// @param live the versions that are served, ascending
    /// @param previous what was served before the last change, if that is kept warm; some of it may still be served
    /// @param others how versions stand that are not served, ascending; of a served one, why its last load failed
    /// @param aliases names of versions
    record Entry(
            List<LoadedVersion> live,
            List<LoadedVersion> previous,
            List<ModelStatus> others,
            Map<String, Long> aliases) {
        private static final Entry EMPTY = new Entry(List.of(), List.of(), List.of(), Map.of());

        Entry {
            live = live.stream()
                    .sorted(Comparator.comparingLong(LoadedVersion::number))
                    .toList();
            previous = List.copyOf(previous);
            others = others.stream()
                    .sorted(Comparator.comparingLong(ModelStatus::version))
                    .toList();
            aliases = Collections.unmodifiableMap(new TreeMap<>(aliases));
        }

        /// Other versions are served from now on, and others are kept.
        Entry with(List<LoadedVersion> nowLive, List<LoadedVersion> nowKept) {
            return new Entry(nowLive, nowKept, others, aliases);
        }

        Entry withAliases(Map<String, Long> names) {
            return new Entry(live, previous, others, names);
        }

        /// Those that there were, and those that the configuration of versions says, which count more.
        Entry withAliasesOf(List<LoadedVersion> versions) {
            Map<String, Long> all = new TreeMap<>(aliases);
            versions.forEach(
                    version -> all.putAll(version.source().model().config().aliases()));
            return withAliases(all);
        }

        /// These versions stand otherwise than they did.
        Entry with(Collection<ModelStatus> statuses) {
            List<Long> numbers = statuses.stream().map(ModelStatus::version).toList();
            return new Entry(
                    live,
                    previous,
                    Stream.concat(
                                    others.stream().filter(status -> !numbers.contains(status.version())),
                                    statuses.stream())
                            .toList(),
                    aliases);
        }

        /// Forgets the loads that failed or were in progress, and what is served again; and versions that were unloaded
        /// long ago.
        Entry settled() {
            List<ModelStatus> left = others.stream()
                    .filter(status -> isGone(status) && find(status.version()).isEmpty())
                    .toList();
            List<ModelStatus> recent = left.subList(Math.max(0, left.size() - MOST_UNLOADED), left.size());
            return new Entry(live, previous, recent, aliases);
        }

        /// A version that was unloading is unloaded.
        Entry unloaded(long version) {
            return new Entry(
                    live,
                    previous,
                    others.stream()
                            .map(status -> status.version() == version && status.state() == VersionState.UNLOADING
                                    ? status.failing(UNLOADED)
                                    : status)
                            .toList(),
                    aliases);
        }

        /// The instance of a version that is served.
        Optional<LoadedVersion> find(long version) {
            return live.stream().filter(loaded -> loaded.number() == version).findFirst();
        }

        /// Whether nothing is known of it but that it was unloaded.
        boolean isUnloaded() {
            return others.stream().allMatch(Entry::isGone);
        }

        private static boolean isGone(ModelStatus status) {
            return status.state() == VersionState.UNLOADING || status.reason().equals(UNLOADED);
        }

        /// How every version stands, once each.
        private Stream<ModelStatus> status() {
            Map<Long, ModelStatus> all = new TreeMap<>();
            others.forEach(status -> all.put(status.version(), status));
            previous.forEach(kept ->
                    all.put(kept.number(), kept.status().in(VersionState.UNAVAILABLE, "kept warm for a rollback")));
            for (LoadedVersion loaded : live) {
                ModelStatus failed = others.stream()
                        .filter(status ->
                                status.version() == loaded.number() && status.state() == VersionState.UNAVAILABLE)
                        .findFirst()
                        .orElse(null);
                ModelStatus status = loaded.status();
                all.put(
                        loaded.number(),
                        failed != null && status.ready()
                                ? status.in(status.state(), "its last load failed: " + failed.reason())
                                : status);
            }
            return all.values().stream().map(status -> status.known(names(status.version()), isKept(status.version())));
        }

        private List<String> names(long version) {
            return aliases.entrySet().stream()
                    .filter(alias -> alias.getValue() == version)
                    .map(Map.Entry::getKey)
                    .toList();
        }

        private boolean isKept(long version) {
            return previous.stream().anyMatch(kept -> kept.number() == version && !live.contains(kept));
        }
    }

    private volatile Map<String, Entry> entries = new TreeMap<>();
    /// What every model's lanes have counted, those that are gone among them.
    private final Map<String, LastingCounts<LaneStatistics.Totals>> totals = new ConcurrentSkipListMap<>();

    /// Replaces what is known of a model.
    synchronized void change(String model, UnaryOperator<Entry> change) {
        Map<String, Entry> next = new TreeMap<>(entries);
        next.put(model, change.apply(entry(model)));
        entries = next;
    }

    /// A version is not served.
    void broken(ModelStatus status) {
        change(status.model(), entry -> entry.with(List.of(status)));
    }

    /// Whether nothing of a model is served.
    boolean isAbsent(String model) {
        return entry(model).live().isEmpty();
    }

    /// What is known of a model.
    Entry entry(String model) {
        return entries.getOrDefault(model, Entry.EMPTY);
    }

    /// The highest version of a model that is served.
    ///
    /// @throws InferenceException with [Outcome#NOT_FOUND] if there is no such model, [Outcome#UNAVAILABLE] if
    ///     none of its versions is served
    LoadedVersion find(String model) {
        Entry entry = entries.get(model);
        if (entry == null) {
            throw new InferenceException(
                    Outcome.NOT_FOUND, "model '" + model + "' is not in the repository; it has " + entries.keySet());
        }
        if (entry.live().isEmpty()) {
            throw unavailable(
                    model,
                    entry.others().isEmpty()
                            ? UNLOADED
                            : entry.others().getLast().reason());
        }
        return entry.live().getLast();
    }

    /// A version of a model.
    ///
    /// @throws InferenceException with [Outcome#NOT_FOUND] if there is no such model or version, or not any more;
    ///     [Outcome#UNAVAILABLE] if it is not served
    LoadedVersion find(String model, long version) {
        Entry entry = entries.getOrDefault(model, Entry.EMPTY);
        for (LoadedVersion loaded : entry.live()) {
            if (loaded.number() == version) {
                return loaded;
            }
        }
        for (ModelStatus status : entry.others()) {
            if (status.version() == version && !Entry.isGone(status)) {
                throw unavailable(model, status.reason());
            }
        }
        throw new InferenceException(
                Outcome.NOT_FOUND, "model '" + model + "' has no version " + version + " that is served");
    }

    /// The version of a model that an alias stands for.
    ///
    /// @throws InferenceException as [#find(String, long)]
    LoadedVersion findAlias(String model, String alias) {
        Long version = entries.getOrDefault(model, Entry.EMPTY).aliases().get(alias);
        if (version == null) {
            throw new InferenceException(
                    Outcome.NOT_FOUND, "model '" + model + "' has no version '" + alias + "', nor such an alias");
        }
        return find(model, version);
    }

    private static InferenceException unavailable(String model, String reason) {
        return new InferenceException(Outcome.UNAVAILABLE, "model '" + model + "' is not served: " + reason);
    }

    /// A lane is about to be served: what it counts is part of its model's totals.
    void count(Lane lane) {
        String model = lane.spec().model();
        totals.computeIfAbsent(
                        model,
                        name -> new LastingCounts<>(LaneStatistics.Totals.none(name), LaneStatistics.Totals::plus))
                .add(lane, lane.counters().totals(model, lane.recorder().batchCounts()));
    }

    /// What every model has done, by its name.
    List<LaneStatistics.Totals> totals() {
        return totals.values().stream().map(LastingCounts::total).toList();
    }

    /// Every version that is served, by model and version.
    List<LoadedVersion> loaded() {
        return entries.values().stream().flatMap(entry -> entry.live().stream()).toList();
    }

    /// How every version stands, by model and version.
    List<ModelStatus> status() {
        List<ModelStatus> all = new ArrayList<>();
        entries.values().forEach(entry -> entry.status().forEach(all::add));
        all.sort(Comparator.comparing(ModelStatus::model).thenComparingLong(ModelStatus::version));
        return List.copyOf(all);
    }
}
