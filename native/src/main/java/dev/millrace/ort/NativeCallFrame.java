// SPDX-License-Identifier: Apache-2.0
package dev.millrace.ort;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.memory.Hot;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The arguments of one `Run` in native memory: name tables, value tables, shapes, run options. Values are numbered
/// through, inputs first.
///
/// Threads: one at a time, but [#running()] and [#terminate(long)] from any. Ownership: the runner that made it closes
/// it, not during a run.
final class NativeCallFrame implements AutoCloseable {
    private final boolean hasArena;
    private final int inputCount;
    private final int valueCount;
    private final int maxRank;
    private final OffHeapRegion region;
    private final MemorySegment memory;
    private final long namesOffset;
    private final long valuesOffset;
    private final long shapesOffset;
    private final Termination termination = new Termination();
    private long options;
    /// Run options after which the arena shrinks; 0 until they are wanted.
    private long shrinking;
    /// The options of the run in progress, or of the next one.
    private long current;

    /// @param arena what becomes of memory that runs have used
    NativeCallFrame(SessionSettings.Arena arena, List<String> inputNames, List<String> outputNames, int maxRank) {
        this.hasArena = arena != SessionSettings.Arena.NONE;
        List<byte[]> names = new ArrayList<>();
        inputNames.forEach(name -> names.add(name.getBytes(StandardCharsets.UTF_8)));
        outputNames.forEach(name -> names.add(name.getBytes(StandardCharsets.UTF_8)));
        this.inputCount = inputNames.size();
        this.valueCount = names.size();
        this.maxRank = maxRank;
        this.namesOffset = 0;
        this.valuesOffset = 8L * valueCount;
        this.shapesOffset = 16L * valueCount;
        long text = shapesOffset + 8L * valueCount * maxRank;
        long bytes = text + names.stream().mapToLong(name -> name.length + 1).sum();
        this.region = OffHeapRegion.allocate(MemoryTag.ORT, bytes);
        this.memory = region.segment();
        for (int i = 0; i < valueCount; i++) {
            byte[] name = names.get(i);
            MemorySegment.copy(name, 0, memory, java.lang.foreign.ValueLayout.JAVA_BYTE, text, name.length);
            memory.setAtIndex(JAVA_LONG, i, region.address() + text);
            text += name.length + 1;
        }
        this.options =
                arena == SessionSettings.Arena.SHRINKS ? OrtApi.createShrinkingRunOptions() : OrtApi.createRunOptions();
        this.current = options;
    }

    /// Runs the session. A run for which the arena has no room is repeated after the arena was shrunk: what earlier
    /// runs of other sizes left may be in pieces that are too small.
    @Hot
    void run(long session) {
        try {
            runOnce(session);
        } catch (OrtFailure e) {
            runAfter(e, session);
        }
    }

    private void runAfter(OrtFailure failure, long session) {
        if (!failure.isOutOfMemory() || !hasArena) {
            throw failure;
        }
        shrinkAfterNextRun();
        try {
            runOnce(session);
        } catch (OrtFailure e) {
            if (!e.isOutOfMemory()) {
                throw e;
            }
            runOnce(session);
        }
    }

    /// After the next run the arena gives back what nothing uses.
    void shrinkAfterNextRun() {
        if (!hasArena) {
            return;
        }
        if (shrinking == 0) {
            shrinking = OrtApi.createShrinkingRunOptions();
        }
        current = shrinking;
    }

    @Hot
    private void runOnce(long session) {
        long base = region.address();
        termination.begin();
        try {
            OrtApi.run(
                    session,
                    current,
                    base + namesOffset,
                    base + valuesOffset,
                    inputCount,
                    base + namesOffset + 8L * inputCount,
                    valueCount - inputCount,
                    base + valuesOffset + 8L * inputCount);
        } finally {
            if (termination.end()) {
                OrtApi.unsetTerminate(current);
            }
            current = options;
        }
    }

    /// The shape that value `value` is created with.
    MemorySegment shape(int value) {
        return memory.asSlice(shapesOffset + 8L * value * maxRank, 8L * maxRank);
    }

    @Hot
    long shapeAddress(int value) {
        return region.address() + shapesOffset + 8L * value * maxRank;
    }

    @Hot
    void rows(int value, long rows) {
        memory.set(JAVA_LONG, shapesOffset + 8L * value * maxRank, rows);
    }

    /// Where the pointer to value `value` is kept.
    @Hot
    long valueAddress(int value) {
        return region.address() + valuesOffset + 8L * value;
    }

    @Hot
    long value(int value) {
        return memory.get(JAVA_LONG, valuesOffset + 8L * value);
    }

    /// Releases every value that is there; after a failure only some are.
    @Hot
    void releaseValues() {
        for (int i = 0; i < valueCount; i++) {
            long value = value(i);
            if (value != 0) {
                OrtApi.releaseValue(value);
                memory.set(JAVA_LONG, valuesOffset + 8L * i, 0L);
            }
        }
    }

    long running() {
        return termination.running();
    }

    boolean terminate(long number) {
        return termination.terminate(number, () -> OrtApi.setTerminate(current));
    }

    /// Frees everything; a second call does nothing.
    @Override
    public void close() {
        if (options != 0) {
            OrtApi.releaseRunOptions(options);
            options = 0;
            if (shrinking != 0) {
                OrtApi.releaseRunOptions(shrinking);
            }
            region.close();
        }
    }
}
