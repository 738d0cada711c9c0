// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

import dev.millrace.feast.EntityKeys;
import dev.millrace.feast.FeastView;

/// A view with what follows from it, worked out once; there is one object for each.
///
/// Threads: any; it does not change.
final class PreparedView {
    private final FeastView view;
    private final EntityKeys keys;
    private final byte[][] fields;
    /// Whether its rows are kept when they were read.
    private volatile boolean kept;

    PreparedView(FeastView view, RedisOptions options) {
        this.view = view;
        this.keys = new EntityKeys(options.keys(), options.project(), view.joinKeys());
        this.fields = view.hashFields();
    }

    boolean isKept() {
        return kept;
    }

    /// Has its rows be kept from now on.
    void keep() {
        kept = true;
    }

    FeastView view() {
        return view;
    }

    EntityKeys keys() {
        return keys;
    }

    /// What its fields are called in a hash; the time is behind them.
    byte[][] fields() {
        return fields;
    }
}
