// SPDX-License-Identifier: Apache-2.0
package dev.millrace.limit;

import java.util.Locale;

/// One thing that a client may not take without end. The name is that of the option and of the counter: `HEAD_TIMEOUT`
/// is `--head-timeout` on the command line and `head_timeout` in the metrics. Threads: any.
public enum Limit {
    MAX_CONNECTIONS(Unit.COUNT, 10_000, 1, 1_000_000, "Connections at a time."),
    IDLE_TIMEOUT(Unit.MILLIS, 120_000, 0, Limit.DAY, "How long a connection may stay open without a request."),
    HEAD_TIMEOUT(Unit.MILLIS, 10_000, 0, Limit.DAY, "How long a request's head may take from its first byte on."),
    BODY_TIMEOUT(Unit.MILLIS, 20_000, 0, Limit.DAY, "How long a request's body may take, beside --min-rate."),
    WRITE_TIMEOUT(Unit.MILLIS, 60_000, 0, Limit.DAY, "How long a client may take for an answer, beside --min-rate."),
    MIN_RATE(Unit.BYTES, 4096, 1, 1 << 30, "Bytes for which a body or an answer is given one more second."),
    MAX_LINE_BYTES(Unit.BYTES, 8192, 64, 1 << 20, "The longest request line."),
    MAX_HEADER_BYTES(Unit.BYTES, 32_768, 64, 1 << 20, "The most that a request's headers may take together."),
    MAX_HEADERS(Unit.COUNT, 100, 1, 10_000, "The most headers of a request."),
    MAX_BODY_BYTES(Unit.BYTES, 64 << 20, 1, 1 << 30, "The largest request body."),
    MAX_UPLOAD_BYTES(Unit.BYTES, 1L << 30, 0, 1L << 40, "The most of models on disk that came with a load, together."),
    MAX_RECEIVING_BYTES(Unit.BYTES, 256 << 20, 1, 1L << 40, "The most of bodies that have not come wholly, together."),
    MAX_PIPELINED(Unit.COUNT, 256, 1, 65_536, "Requests of a connection that wait for answers; more are not read."),
    MAX_JSON_DEPTH(Unit.COUNT, 100, 8, 1000, "How deep JSON may be nested."),
    MAX_ELEMENTS(Unit.COUNT, 16 << 20, 1, Integer.MAX_VALUE, "The most elements of a request's inputs together."),
    MAX_PARAMETERS(Unit.COUNT, 64, 0, 1_000_000, "The most parameters of a request."),
    MAX_ID_BYTES(Unit.BYTES, 16_384, 1, 1 << 20, "The longest id of a request."),
    CLIENT_LIMIT(Unit.COUNT, 0, 0, 1_000_000_000, "Rows per second of one client; 0 for no limit."),
    CLIENT_BURST(Unit.COUNT, 1024, 1, 1_000_000_000, "Rows that a client may send at once, within --client-limit."),
    MAX_CLIENTS(Unit.COUNT, 8192, 1, 1 << 20, "Clients that are told apart; more share one limit.");

    private static final long DAY = 24L * 3600 * 1000;

    /// What a limit's value counts.
    public enum Unit {
        COUNT,
        BYTES,
        MILLIS
    }

    private final Unit unit;
    private final long standard;
    private final long least;
    private final long greatest;
    private final String description;

    Limit(Unit unit, long standard, long least, long greatest, String description) {
        this.unit = unit;
        this.standard = standard;
        this.least = least;
        this.greatest = greatest;
        this.description = description;
    }

    /// What its value counts.
    public Unit unit() {
        return unit;
    }

    /// The value unless another one is asked for.
    public long standard() {
        return standard;
    }

    /// What it limits, in a sentence.
    public String description() {
        return description;
    }

    /// The option of the command line.
    public String option() {
        return "--" + name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /// What it is counted under.
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Checks a value for it.
    ///
    /// @throws IllegalArgumentException if it cannot be that
    void check(long value) {
        if (value < least || value > greatest) {
            throw new IllegalArgumentException(
                    option() + " must be from " + shown(least) + " to " + shown(greatest) + ", was " + shown(value));
        }
    }

    /// A value as people write it.
    String shown(long value) {
        return switch (unit) {
            case COUNT -> Long.toString(value);
            case BYTES -> value + " bytes";
            case MILLIS -> value % 1000 == 0 ? value / 1000 + " s" : value + " ms";
        };
    }
}
