// SPDX-License-Identifier: Apache-2.0
package dev.millrace.bench.features;

import dev.millrace.bench.report.Section;
import dev.millrace.features.FeaturePlan;
import dev.millrace.features.FeatureRow;
import dev.millrace.features.StoreSource;
import dev.millrace.memory.MemoryTag;
import dev.millrace.memory.OffHeapRegion;
import dev.millrace.spec.FeatureSpec;
import dev.millrace.store.Durability;
import dev.millrace.store.EmbeddedStore;
import dev.millrace.store.StoreOptions;
import dev.millrace.store.View;
import dev.millrace.store.WriteBatch;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/// Times the way from raw values to the 41 floats of a model's input, by turns: a plan whose stored
/// values are at hand, one that reads them from the store by random keys, and ONNX Runtime with the
/// exported graph, one row at a time and 64. Before that all have to give the same floats.
///
/// Threads: one.
public final class FeatureRuns {
    private static final com.sun.management.ThreadMXBean THREADS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int ROWS = 1024;
    private static final int SINGLE_ROWS = 256;
    private static final int BATCH = 64;
    private static final int WRITE_ROWS = 5_000;

    /// How far apart the floats may be of columns that are made by functions, if they are no
    /// neighbours.
    private static final double FUNCTION_ERROR = 0x1p-48;

    private static final List<String> OF_FUNCTIONS =
            List.of("amount_log", "hour_sin", "hour_cos", "sum_7d", "count_7d");

    private final long entities;
    private final int rounds;
    private final long turnNanos;
    private final PrintStream progress;

    /// @param entities users, and merchants, that the store has
    /// @param rounds how often each has its turn
    /// @param turnMillis how long one is
    public FeatureRuns(long entities, int rounds, int turnMillis, PrintStream progress) {
        this.entities = entities;
        this.rounds = rounds;
        this.turnNanos = turnMillis * 1_000_000L;
        this.progress = progress;
    }

    /// What is timed.
    enum What {
        /// Taking the time twice.
        CLOCK,
        /// The plan; stored values were fetched before.
        PLAN,
        /// The plan and two reads of the store.
        STORED,
        /// ONNX Runtime, a row in a run.
        GRAPH,
        /// ONNX Runtime, 64 rows in a run; times are by row.
        GRAPH_64
    }

    /// Rows of one kind.
    ///
    /// @param bytes that a row took of the heap
    record Timed(What what, long rows, long p50, long p90, long p99, long max, double bytes) {}

    /// All that was found.
    ///
    /// @param columns of a row
    /// @param same columns that were compared and have the same bits in both
    /// @param near those that have not, and may
    record Findings(long entities, int columns, long tableBytes, long same, long near, List<Timed> timed) {}

    /// Measures.
    ///
    /// @throws IllegalStateException if the floats are not the same
    public Section measure() throws IOException {
        Path folder = Files.createTempDirectory("millrace-features");
        try {
            StoreOptions options =
                    StoreOptions.DEFAULT.durability(Durability.PROCESS).capacity(entities);
            try (EmbeddedStore store =
                    EmbeddedStore.open(folder.resolve("store"), options, Payments.USERS, Payments.MERCHANTS)) {
                load(store);
                return new FeatureReport(measure(store));
            }
        } finally {
            delete(folder);
        }
    }

    private void load(EmbeddedStore store) throws IOException {
        View users = store.view(Payments.USERS.name());
        View merchants = store.view(Payments.MERCHANTS.name());
        WriteBatch batch = new WriteBatch();
        for (long entity = 0; entity < entities; entity++) {
            Payments.addUser(batch, users, Payments.key(entity));
            Payments.addMerchant(batch, merchants, Payments.key(entity));
            if (batch.rows() >= WRITE_ROWS || entity == entities - 1) {
                store.write(batch);
                batch.clear();
            }
        }
    }

    private Findings measure(EmbeddedStore store) {
        FeatureSpec spec = Payments.spec();
        FeaturePlan plan = FeaturePlan.compile(spec);
        Payments payments = new Payments(ROWS, entities);
        StoreSource source = new StoreSource(store);
        AtHand atHand = new AtHand(source, payments);
        try (FeatureRow plain = plan.newRow(atHand);
                FeatureRow stored = plan.newRow(source);
                OffHeapRegion out = OffHeapRegion.allocate(MemoryTag.CALL, (long) Float.BYTES * plan.width());
                GraphRun single = new GraphRun(spec, payments, store, SINGLE_ROWS, 1);
                GraphRun batched = new GraphRun(spec, payments, store, ROWS / BATCH, BATCH)) {
            Subjects subjects = new Subjects(
                    payments, Payments.Fields.of(plan), atHand, plain, stored, out.segment(), single, batched);
            long[] compared = gate(subjects);
            progress.println(compared[0] + " columns have the same bits, " + compared[1] + " are near");
            long tables = store.view(Payments.USERS.name()).statistics().bytes()
                    + store.view(Payments.MERCHANTS.name()).statistics().bytes();
            return new Findings(entities, plan.width(), tables, compared[0], compared[1], rounds(subjects));
        }
    }

    /// All that is timed.
    private record Subjects(
            Payments payments,
            Payments.Fields fields,
            AtHand atHand,
            FeatureRow plain,
            FeatureRow stored,
            MemorySegment out,
            GraphRun single,
            GraphRun batched) {
        /// The plan's floats of a row, stored values at hand.
        void plan(int row) {
            atHand.turnTo(row);
            payments.fill(row, fields, plain, payments.user(row), payments.merchant(row));
            write(plain);
        }

        /// The plan's floats of a row with stored values by keys.
        void stored(int row, long user, long merchant) {
            payments.fill(row, fields, stored, user, merchant);
            write(stored);
        }

        private void write(FeatureRow row) {
            if (!fields.plan().write(row, out, 0)) {
                throw new IllegalStateException(row.problem());
            }
        }

        float[] floats() {
            return out.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /// How many columns are the same, and how many are near.
    private static long[] gate(Subjects subjects) {
        long[] compared = new long[2];
        List<String> columns = subjects.fields().plan().columns();
        for (int row = 0; row < ROWS; row++) {
            subjects.plan(row);
            float[] expected = subjects.floats();
            subjects.stored(
                    row, subjects.payments().user(row), subjects.payments().merchant(row));
            float[] stored = subjects.floats();
            if (row % BATCH == 0) {
                subjects.batched().run(row / BATCH);
            }
            if (row < SINGLE_ROWS) {
                subjects.single().run(row);
            }
            for (int column = 0; column < expected.length; column++) {
                String where = "row " + row + ", column " + columns.get(column);
                boolean function = OF_FUNCTIONS.contains(columns.get(column));
                compare(where + " from the store", expected[column], stored[column], false);
                float batched = subjects.batched().column(row % BATCH, column);
                compared[compare(where + " in a batch", expected[column], batched, function) ? 0 : 1]++;
                if (row < SINGLE_ROWS) {
                    compare(where, expected[column], subjects.single().column(0, column), function);
                }
            }
            if (subjects.batched().isRejected(row % BATCH)) {
                throw new IllegalStateException("row " + row + " is rejected by the graph and not by the plan");
            }
        }
        return compared;
    }

    /// Whether two floats have the same bits.
    ///
    /// @param function whether it is enough that they are near
    private static boolean compare(String where, float expected, float came, boolean function) {
        if (Float.floatToRawIntBits(expected) == Float.floatToRawIntBits(came)) {
            return true;
        }
        double apart = Math.abs((double) expected - came);
        if (!function || !(apart <= Math.ulp(expected) || apart <= FUNCTION_ERROR)) {
            throw new IllegalStateException(where + ": " + came + " came, expected the plan's " + expected);
        }
        return false;
    }

    private List<Timed> rounds(Subjects subjects) {
        Map<What, Histogram> all = new EnumMap<>(What.class);
        Map<What, Double> bytes = new EnumMap<>(What.class);
        for (What what : What.values()) {
            all.put(what, new Histogram(3));
        }
        // The first two rounds are not counted.
        for (int round = -2; round < rounds; round++) {
            for (What what : What.values()) {
                Histogram times = round < 0 ? new Histogram(3) : all.get(what);
                double perRow = turn(what, new SplittableRandom(round), times, subjects);
                if (round >= 0) {
                    bytes.merge(what, perRow, Math::min);
                }
            }
        }
        List<Timed> timed = new ArrayList<>();
        for (What what : What.values()) {
            Histogram times = all.get(what);
            timed.add(new Timed(
                    what,
                    times.getTotalCount() * (what == What.GRAPH_64 ? BATCH : 1),
                    times.getValueAtPercentile(50),
                    times.getValueAtPercentile(90),
                    times.getValueAtPercentile(99),
                    times.getMaxValue(),
                    bytes.get(what)));
            progress.println(timed.getLast());
        }
        return timed;
    }

    /// One turn; the bytes that a row took of the heap.
    private double turn(What what, SplittableRandom random, Histogram times, Subjects subjects) {
        long rows = 0;
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long end = System.nanoTime() + turnNanos;
        long before;
        do {
            int row = random.nextInt(ROWS);
            long user = Payments.key(random.nextLong(entities));
            long merchant = Payments.key(random.nextLong(entities));
            before = System.nanoTime();
            int done = once(what, subjects, row, user, merchant);
            long after = System.nanoTime();
            times.recordValue((after - before) / done);
            rows += done;
        } while (before < end);
        return (double) (THREADS.getCurrentThreadAllocatedBytes() - allocated) / rows;
    }

    /// Does it once; how many rows that was.
    private static int once(What what, Subjects subjects, int row, long user, long merchant) {
        switch (what) {
            case CLOCK -> {
                return 1;
            }
            case PLAN -> subjects.plan(row);
            case STORED -> subjects.stored(row, user, merchant);
            case GRAPH -> subjects.single().run(row % SINGLE_ROWS);
            case GRAPH_64 -> {
                subjects.batched().run(row / BATCH);
                return BATCH;
            }
        }
        return 1;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
