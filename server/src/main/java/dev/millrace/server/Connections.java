// SPDX-License-Identifier: Apache-2.0
package dev.millrace.server;

import dev.millrace.limit.Limit;
import dev.millrace.limit.Limits;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// The open connections of one event loop. While there are some it looks at all of them at a steady pace, to see whose
/// client takes too long; so nothing has to be timed per request, and without connections nothing wakes up.
///
/// Threads: the event loop's.
final class Connections {
    /// Connections that are looked at before what came in meanwhile gets its turn.
    private static final int SLICE = 256;
    private static final long LONGEST_PAUSE_MILLIS = 1000;
    /// Of the shortest time limit: so much later than its end may be seen.
    private static final int PARTS = 8;

    private final EventExecutor executor;
    private final LongSupplier clock;
    private final long pauseMillis;
    private final List<Connection> open = new ArrayList<>();
    private final Runnable look = this::look;
    private boolean looking;
    /// Those at lower places have not been looked at in this round.
    private int left;

    /// @param clock nanoseconds
    Connections(EventExecutor executor, Limits limits, LongSupplier clock) {
        this.executor = executor;
        this.clock = clock;
        this.pauseMillis = pauseMillis(limits);
    }

    /// Milliseconds between two looks; 0 if nothing limits time.
    private static long pauseMillis(Limits limits) {
        long shortest = Long.MAX_VALUE;
        for (Limit limit : Limit.values()) {
            if (limit.unit() == Limit.Unit.MILLIS && limits.get(limit) > 0) {
                shortest = Math.min(shortest, limits.get(limit));
            }
        }
        return shortest == Long.MAX_VALUE ? 0 : Math.clamp(shortest / PARTS, 1, LONGEST_PAUSE_MILLIS);
    }

    void add(Connection connection) {
        connection.place(open.size());
        open.add(connection);
        if (!looking && pauseMillis > 0) {
            looking = true;
            pause();
        }
    }

    /// Takes out a connection; one that was not put in changes nothing.
    void remove(Connection connection) {
        int place = connection.place();
        if (place < 0) {
            return;
        }
        Connection last = open.removeLast();
        if (place < open.size()) {
            open.set(place, last);
            last.place(place);
        }
        connection.place(-1);
    }

    private void pause() {
        var _ = executor.schedule(look, pauseMillis, TimeUnit.MILLISECONDS);
    }

    private void look() {
        left = Math.min(left, open.size());
        if (left == 0) {
            left = open.size();
        }
        long now = clock.getAsLong();
        for (int count = Math.min(left, SLICE); count > 0 && left > 0; count--) {
            left--;
            // Whoever is closed by this is replaced by one from the end, who is looked at in the next round.
            if (left < open.size()) {
                open.get(left).look(now);
            }
        }
        if (left > 0) {
            executor.execute(look);
        } else if (open.isEmpty()) {
            looking = false;
        } else {
            pause();
        }
    }

    /// Looks at all of them at once. For tests, whose clock does not go by itself.
    void lookAtAll() {
        long now = clock.getAsLong();
        all().forEach(connection -> connection.look(now));
    }

    boolean isEmpty() {
        return open.isEmpty();
    }

    /// Those that are open now.
    List<Connection> all() {
        return List.copyOf(open);
    }
}
