// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.JJJ_Result;

/// What a reader may see of a row that is written. Run with the other stress tests, by `JcstressTest`.
final class TableStress {
    private static final ViewSchema SCHEMA = new ViewSchema(
            "v",
            Field.of("id", FieldType.INT64),
            List.of(Field.of("a", FieldType.INT64), Field.of("b", FieldType.INT64)));
    private static final TableShape SHAPE = TableShape.of(SCHEMA, 1, 42);
    private static final long KEY = 7;

    private TableStress() {}

    private static Table table() {
        int words = (int) (SHAPE.bytes() / Long.BYTES);
        return new Table(SHAPE, MemorySegment.ofArray(new long[words]), 0, () -> {});
    }

    /// A key and a row of it: both times and both fields are the same number.
    private static MemorySegment row(long number) {
        MemorySegment memory = MemorySegment.ofArray(new long[1 + SCHEMA.rowBytes() / Long.BYTES]);
        memory.set(ValueLayout.JAVA_LONG, 0, KEY);
        for (int at :
                new int[] {ViewSchema.EVENT_TIME, ViewSchema.AVAILABILITY_TIME, SCHEMA.offset(0), SCHEMA.offset(1)}) {
            memory.set(ValueLayout.JAVA_LONG, Long.BYTES + (long) at, number);
        }
        return memory;
    }

    private static void read(Table table, MemorySegment mine, JJJ_Result r) {
        if (table.read(KEY, mine, 0)) {
            r.r1 = mine.get(ValueLayout.JAVA_LONG, ViewSchema.EVENT_TIME);
            r.r2 = mine.get(ValueLayout.JAVA_LONG, SCHEMA.offset(0));
            r.r3 = mine.get(ValueLayout.JAVA_LONG, SCHEMA.offset(1));
        }
    }

    @JCStressTest
    @Description("A row is put where there was none: a reader finds nothing, or all of it.")
    @Outcome(id = "0, 0, 0", expect = Expect.ACCEPTABLE, desc = "before")
    @Outcome(id = "1, 1, 1", expect = Expect.ACCEPTABLE, desc = "after")
    @Outcome(expect = Expect.FORBIDDEN, desc = "a part of a row")
    @State
    public static class Insert {
        private final Table table = table();
        private final MemorySegment row = row(1);
        private final MemorySegment mine = row(0);

        @Actor
        public void writer() {
            table.put(row, 0, Long.BYTES);
        }

        @Actor
        public void reader(JJJ_Result r) {
            read(table, mine, r);
        }
    }

    @JCStressTest
    @Description("A row is replaced twice: a reader finds one of the three, whole.")
    @Outcome(id = "1, 1, 1", expect = Expect.ACCEPTABLE, desc = "before")
    @Outcome(id = "2, 2, 2", expect = Expect.ACCEPTABLE, desc = "between")
    @Outcome(id = "3, 3, 3", expect = Expect.ACCEPTABLE, desc = "after")
    @Outcome(expect = Expect.FORBIDDEN, desc = "nothing, or a row made of two")
    @State
    public static class Replace {
        private final Table table = table();
        private final MemorySegment second = row(2);
        private final MemorySegment third = row(3);
        private final MemorySegment mine = row(0);

        public Replace() {
            table.put(row(1), 0, Long.BYTES);
        }

        @Actor
        public void writer() {
            table.put(second, 0, Long.BYTES);
            table.put(third, 0, Long.BYTES);
        }

        @Actor
        public void reader(JJJ_Result r) {
            read(table, mine, r);
        }
    }
}
