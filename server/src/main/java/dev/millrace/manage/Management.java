// SPDX-License-Identifier: Apache-2.0
package dev.millrace.manage;

import dev.millrace.manage.IndexEntry.State;
import dev.millrace.manage.ManagementException.Problem;
import dev.millrace.memory.VersionMemory;
import dev.millrace.runtime.Millrace;
import dev.millrace.runtime.ModelStatus;
import dev.millrace.trace.Tracing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What is asked of a server beside inference, whatever protocol it came by. One per server, so that all who ask for
/// statistics see the same.
///
/// Threads: any.
public final class Management {
    private final Millrace millrace;
    private final ModelControl control;
    private final StatisticsKeeper statistics;
    private final LogControl log = new LogControl();
    /// Or it does not matter.
    private volatile boolean modelsLoaded;

    private volatile boolean leaving;
    private final Tracing tracing;
    private final TraceControl traces;

    /// @param control what changes models
    /// @param strictReadiness whether the server is ready only when each of its models was loaded
    /// @param tracing what traces requests
    public Management(Millrace millrace, ModelControl control, boolean strictReadiness, Tracing tracing) {
        this.millrace = millrace;
        this.modelsLoaded = !strictReadiness;
        this.control = control;
        this.tracing = tracing;
        this.traces = new TraceControl(tracing);
        this.statistics = new StatisticsKeeper(millrace::statistics);
    }

    /// Whether the server should be sent requests.
    public boolean isReady() {
        return !isLeaving() && (modelsLoaded || areModelsLoaded());
    }

    /// Whether each model has a version that is loaded. From then on it does not matter: what is served goes on being
    /// served, and a broken model that somebody adds must not take all servers away from the others.
    private boolean areModelsLoaded() {
        Map<String, Boolean> loaded = new HashMap<>();
        for (ModelStatus status : millrace.status()) {
            loaded.merge(status.model(), isServed(status), Boolean::logicalOr);
        }
        modelsLoaded = !loaded.containsValue(false);
        return modelsLoaded;
    }

    /// Whether the server is about to stop, or has.
    public boolean isLeaving() {
        return leaving || !millrace.isOpen();
    }

    /// The server is about to stop: it and its models are not ready from now on, and answer all the same.
    public void leave() {
        leaving = true;
    }

    /// What every served model version has done so far, by name and version.
    public List<ModelStatistics> statistics() {
        return statistics.read(this::memoryBytes);
    }

    private long memoryBytes(String model, long version) {
        return millrace.memoryOfModels().stream()
                .filter(memory -> memory.model().equals(model) && memory.version() == version)
                .mapToLong(Management::bytes)
                .sum();
    }

    private static long bytes(VersionMemory memory) {
        return memory.weights().used() + memory.tensors().used();
    }

    /// What the versions of a model have done so far, or one of them.
    ///
    /// @param version the version, or null or empty for all that are served
    /// @throws ManagementException if there is none, or it is not served
    public List<ModelStatistics> statistics(String model, String version) {
        ModelStatus status = status(model, version);
        boolean all = isAbsent(version);
        return statistics().stream()
                .filter(one -> one.model().equals(model) && (all || one.version() == status.version()))
                .toList();
    }

    /// A model version that is loaded: what it takes and gives, and the values in force.
    ///
    /// @param version the version or an alias, or null or empty for the one that is served, the highest of several
    /// @throws ManagementException if there is none, or it is not served
    public ModelStatus status(String model, String version) {
        ModelStatus found = find(model, version);
        if (!isServed(found)) {
            throw new ManagementException(
                    Problem.UNAVAILABLE, "model '" + model + "' is not served: " + found.reason());
        }
        return found;
    }

    /// Whether a version is loaded and takes requests, be they answered or not: not if it is only kept for a rollback.
    public static boolean isServed(ModelStatus status) {
        return status.signature().isPresent() && (status.ready() || !status.kept());
    }

    /// A model version as it stands, loaded or not.
    ///
    /// @param version the version or an alias, or null or empty for the highest that is served, or else the highest
    /// @throws ManagementException if there is none
    public ModelStatus find(String model, String version) {
        List<ModelStatus> versions = versions(model);
        ModelStatus found = null;
        for (ModelStatus status : versions) {
            boolean fits = isAbsent(version) || isCalled(status, version);
            found = fits && (found == null || isBetter(status, found)) ? status : found;
        }
        if (found == null) {
            throw new ManagementException(Problem.NOT_FOUND, "model '" + model + "' has no version '" + version + "'");
        }
        return found;
    }

    /// Every version of a model that is known.
    ///
    /// @throws ManagementException if there is none
    public List<ModelStatus> versions(String model) {
        List<ModelStatus> versions = millrace.status().stream()
                .filter(status -> status.model().equals(model))
                .toList();
        if (versions.isEmpty()) {
            throw new ManagementException(Problem.NOT_FOUND, "model '" + model + "' is not in the repository");
        }
        return versions;
    }

    private static boolean isCalled(ModelStatus status, String version) {
        return Long.toString(status.version()).equals(version.replaceFirst("^0+(?=.)", ""))
                || status.aliases().contains(version);
    }

    private static boolean isBetter(ModelStatus one, ModelStatus other) {
        boolean served = isServed(one);
        return served == isServed(other) ? one.version() > other.version() : served;
    }

    private static boolean isAbsent(String version) {
        return version == null || version.isEmpty();
    }

    /// Every model version that is known, and after them the models that could be loaded. It may look at the file
    /// system where models are loaded by request.
    ///
    /// @param readyOnly only those that answer requests
    public List<IndexEntry> index(boolean readyOnly) {
        List<IndexEntry> entries = new ArrayList<>();
        Set<String> known = new HashSet<>();
        for (ModelStatus status : millrace.status()) {
            known.add(status.model());
            if (status.ready() || !readyOnly) {
                State state = State.valueOf(status.state().name());
                entries.add(new IndexEntry(status.model(), status.version(), state, status.reason()));
            }
        }
        if (!readyOnly) {
            control.loadable().stream()
                    .filter(model -> !known.contains(model))
                    .forEach(model -> entries.add(new IndexEntry(model, 0, State.UNAVAILABLE, "not loaded")));
        }
        return entries;
    }

    /// What changes models.
    public ModelControl control() {
        return control;
    }

    /// What is logged, and how.
    public LogSettings logSettings() {
        return log.settings();
    }

    /// Changes what is logged.
    ///
    /// @return what is in force afterwards
    /// @throws ManagementException if something of it cannot be
    public LogSettings changeLog(LogSettings.Change change) {
        return log.change(change);
    }

    /// The protocol's extensions that work.
    public List<String> extensions() {
        return Extensions.names(control.takesLoads(), tracing.hasFolder());
    }

    /// What is traced, by the names of the trace extension.
    ///
    /// @param model the model, or null for those that have no settings of their own
    /// @throws ManagementException if there is no such model
    public Map<String, List<String>> traceSettings(String model) {
        requireModel(model);
        return traces.settings(model);
    }

    /// Changes what is traced.
    ///
    /// @param model the model, or null for all that have no settings of their own
    /// @param change new values by their names; an empty list takes a setting back
    /// @return what is in force afterwards
    /// @throws ManagementException if something of it cannot be, or there is no such model
    public Map<String, List<String>> changeTrace(String model, Map<String, List<String>> change) {
        requireModel(model);
        traces.change(model, change);
        return traces.settings(model);
    }

    private void requireModel(String model) {
        if (model != null
                && millrace.status().stream().noneMatch(status -> status.model().equals(model))) {
            throw new ManagementException(Problem.NOT_FOUND, "model '" + model + "' is not in the repository");
        }
    }

    /// How many traces of requests are in files.
    public long tracesWritten() {
        return tracing.written();
    }

    /// How many traces of requests were dropped.
    public long tracesDropped() {
        return tracing.dropped();
    }
}
