// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/// Random rows of few entities, so that they meet, and views compared entity by entity.
final class AnyRows {
    private static final int KEYS = 60;

    private AnyRows() {}

    private static String key(int number) {
        return number + "k".repeat(number % 20);
    }

    /// Adds rows and deletions with a string key.
    static void add(WriteBatch batch, View view, SplittableRandom random, int rows) {
        for (int i = 0; i < rows; i++) {
            String key = key(random.nextInt(KEYS));
            long event = random.nextInt(-5, 15);
            long available = random.nextInt(3);
            if (random.nextInt(8) == 0) {
                batch.delete(view, key, event, available);
            } else {
                Samples.putAny(batch.row(view, key, event, available), view.schema(), random);
            }
        }
    }

    /// Both have the same entities, with the same bytes.
    static void assertSame(String what, View tested, View expected) {
        try (ViewReader mine = tested.reader();
                ViewReader theirs = expected.reader()) {
            for (int i = 0; i < KEYS; i++) {
                boolean found = mine.find(key(i));
                assertThat(found).as("%s key %s", what, key(i)).isEqualTo(theirs.find(key(i)));
                if (found) {
                    assertThat(slice(mine.row()).mismatch(slice(theirs.row())))
                            .as("%s key %s, the first byte that differs", what, key(i))
                            .isEqualTo(-1);
                }
            }
        }
        ViewStatistics ours = tested.statistics();
        ViewStatistics wanted = expected.statistics();
        assertThat(ours.entities()).as(what).isEqualTo(wanted.entities());
        assertThat(ours.deleted()).as(what).isEqualTo(wanted.deleted());
        assertThat(ours.oldestEventTime()).as(what).isEqualTo(wanted.oldestEventTime());
        assertThat(ours.newestEventTime()).as(what).isEqualTo(wanted.newestEventTime());
    }

    private static MemorySegment slice(Row row) {
        return row.segment().asSlice(row.offset(), row.schema().rowBytes());
    }
}
