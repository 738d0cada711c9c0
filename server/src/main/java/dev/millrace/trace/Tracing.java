// SPDX-License-Identifier: Apache-2.0
package dev.millrace.trace;

import dev.millrace.runtime.Call;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/// Traces of requests, by settings that can be changed at any time, for all models or for one.
///
/// While nothing is traced, a request costs one look at a field. A request that is drawn is timed, and when its answer
/// is written its times go into a ring of fixed size; a thread writes them to files. Where the ring is full a trace is
/// dropped and counted.
///
/// Threads: any. Without a folder there is neither ring nor thread, and nothing can be traced.
public final class Tracing implements AutoCloseable {
    private static final int CAPACITY = 4096;
    private static final long MAX_BYTES = 1L << 30;
    private static final int MAX_FILES = 10_000;
    /// What tensors of traces may take that are not written yet.
    private static final long MAX_WAITING_BYTES = 64L << 20;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /// Null without a folder.
    private final TraceFiles files;
    /// Null without a folder.
    private final TraceRing ring;

    private final LongAdder dropped = new LongAdder();
    private final AtomicLong waitingBytes = new AtomicLong();
    private final Object writing = new Object();
    private final Map<Setting, String> ofAll = new EnumMap<>(Setting.class);
    private final Map<String, Map<Setting, String>> ofModels = new HashMap<>();
    private volatile InForce inForce;
    /// Null until something is traced.
    private volatile Thread writer;

    private volatile boolean closed;

    /// The settings by which requests are drawn.
    ///
    /// @param on whether any can be
    private record InForce(boolean on, Sampling ofAll, Map<String, Sampling> ofModels) {}

    private Tracing(TraceFiles files, int capacity) {
        this.files = files;
        this.ring = files == null ? null : new TraceRing(capacity);
        TraceSettings settings = TraceSettings.of(values(null));
        this.inForce = new InForce(false, new Sampling(this, settings, settings.count()), Map.of());
    }

    /// Traces can be written to files of `folder`; null for nowhere, and then there are none.
    public static Tracing into(Path folder) {
        return into(folder, CAPACITY, MAX_BYTES, MAX_FILES);
    }

    /// @param capacity how many traces may wait to be written, a power of two
    static Tracing into(Path folder, int capacity, long maxBytes, int maxFiles) {
        return new Tracing(folder == null ? null : new TraceFiles(folder, maxBytes, maxFiles), capacity);
    }

    /// Whether anything can be traced.
    public boolean hasFolder() {
        return files != null;
    }

    /// Draws the request that comes now to a model: what it is traced by, or null if it is not.
    public Sampling draw(String model) {
        InForce now = inForce;
        if (!now.on()) {
            return null;
        }
        Sampling sampling = now.ofModels().getOrDefault(model, now.ofAll());
        return sampling.draws() ? sampling : null;
    }

    void keep(Sampling sampling, FrontEnd frontEnd, Call call, String id) {
        long now = System.nanoTime();
        TracedTensors tensors =
                sampling.settings().tensors() ? TracedTensors.of(call, TracedTensors.MAX_BYTES) : TracedTensors.NONE;
        if (tensors == null || !hold(tensors.bytes())) {
            dropped.increment();
        } else if (!ring.add(sampling, frontEnd, call, id, tensors, now)) {
            waitingBytes.addAndGet(-tensors.bytes());
            dropped.increment();
        }
        if (!inForce.on()) {
            // The writer sleeps until something is traced again.
            LockSupport.unpark(writer);
        }
    }

    /// What tensors take that are not written yet.
    long waitingBytes() {
        return waitingBytes.get();
    }

    private boolean hold(long bytes) {
        if (waitingBytes.addAndGet(bytes) <= MAX_WAITING_BYTES) {
            return true;
        }
        waitingBytes.addAndGet(-bytes);
        return false;
    }

    /// The values in force of every setting.
    ///
    /// @param model the model, or null for those that have no settings of their own
    public synchronized Map<Setting, String> settings(String model) {
        Map<Setting, String> values = values(model);
        Sampling sampling = model == null ? inForce.ofAll() : inForce.ofModels().getOrDefault(model, inForce.ofAll());
        values.put(Setting.TRACE_COUNT, Long.toString(sampling.left()));
        return values;
    }

    private Map<Setting, String> values(String model) {
        Map<Setting, String> values = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            values.put(setting, setting.initial());
        }
        values.putAll(ofAll);
        if (model != null) {
            values.putAll(ofModels.getOrDefault(model, Map.of()));
        }
        return values;
    }

    /// Changes settings; what was traced until now is in its file afterwards.
    ///
    /// @param model the model, or null for all that have no setting of their own
    /// @param change new values, which have to be right; an empty one takes the setting back
    public synchronized void change(String model, Map<Setting, Optional<String>> change) {
        Map<Setting, String> own =
                model == null ? ofAll : ofModels.computeIfAbsent(model, _ -> new EnumMap<>(Setting.class));
        change.forEach(
                (setting, value) -> value.ifPresentOrElse(given -> own.put(setting, given), () -> own.remove(setting)));
        ofModels.values().removeIf(Map::isEmpty);
        boolean recount = change.containsKey(Setting.TRACE_COUNT);
        InForce before = inForce;
        Sampling general = sampling(null, before.ofAll(), recount && model == null);
        Map<String, Sampling> models = new HashMap<>();
        boolean on = general.settings().traces();
        for (Map.Entry<String, Map<Setting, String>> entry : ofModels.entrySet()) {
            String name = entry.getKey();
            boolean inherits = model == null && !entry.getValue().containsKey(Setting.TRACE_COUNT);
            Sampling sampling =
                    sampling(name, before.ofModels().get(name), recount && (inherits || name.equals(model)));
            models.put(name, sampling);
            on |= sampling.settings().traces();
        }
        inForce = new InForce(on && files != null, general, Map.copyOf(models));
        drain();
        attend();
    }

    /// What draws by the settings of a model: as before if they are the same.
    ///
    /// @param recount whether as many as the settings say are traced from now on, and not what was left
    private Sampling sampling(String model, Sampling before, boolean recount) {
        TraceSettings settings = TraceSettings.of(values(model));
        if (before == null || recount) {
            return new Sampling(this, settings, settings.count());
        }
        return before.settings().equals(settings) ? before : new Sampling(this, settings, before.left());
    }

    /// Has the writer go on, or begin.
    private void attend() {
        if (!inForce.on() || closed) {
            return;
        }
        if (writer == null) {
            writer = Thread.ofPlatform().daemon().name("millrace-trace").start(this::write);
        }
        LockSupport.unpark(writer);
    }

    private void write() {
        while (!closed) {
            drain();
            if (inForce.on()) {
                LockSupport.parkNanos(PAUSE_NANOS);
            } else {
                LockSupport.park();
            }
        }
    }

    /// Writes what is in the ring.
    void drain() {
        if (files == null) {
            return;
        }
        synchronized (writing) {
            for (Trace trace = ring.peek(); trace != null; trace = ring.peek()) {
                files.add(trace);
                waitingBytes.addAndGet(-trace.tensors().bytes());
                ring.remove();
            }
            files.flush();
        }
    }

    /// How many traces are in files.
    public long written() {
        synchronized (writing) {
            return files == null ? 0 : files.written();
        }
    }

    /// How many traces are in no file: there was no room in the ring or the folder, or they could not be written.
    public long dropped() {
        synchronized (writing) {
            return dropped.sum() + (files == null ? 0 : files.lost());
        }
    }

    /// Writes what is left. No more requests are answered.
    @Override
    public void close() {
        closed = true;
        Thread thread = writer;
        if (thread != null) {
            LockSupport.unpark(thread);
            try {
                thread.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        drain();
    }
}
