// SPDX-License-Identifier: Apache-2.0
package dev.millrace.spec;

import java.time.Duration;
import java.util.List;

/// Values that belong together: those of one entity in a store, which have a time, or a group of
/// the request's.
///
/// @param entity which entity; null where the request has the values
/// @param times what the store calls its times
/// @param ttl how old values may be; null for any age
/// @param policies what is done with older ones, and where there are none
public record FeatureView(
        String name, Kind kind, Entity entity, Times times, Duration ttl, Policies policies, List<FieldSpec> fields) {
    /// The fields cannot change.
    public FeatureView {
        fields = List.copyOf(fields);
    }

    /// Where the values come from.
    public enum Kind {
        /// A store of features, by the entity's key.
        STORE,
        /// The request.
        REQUEST
    }

    /// What the store calls its times; either may be null.
    ///
    /// @param event the time at which the values were so
    /// @param created the time at which they became known
    public record Times(String event, String created) {}

    /// What is done where values are not as they should be.
    public record Policies(OnStale onStale, OnMissing onMissing, OnUnavailable onUnavailable) {}

    /// What is done with values that are older than the view's ttl.
    public enum OnStale {
        /// Each field's default is used, and null where it has none.
        DEFAULT,
        /// They are used, and the row says that they are old.
        SERVE_AND_FLAG,
        /// The row is rejected.
        REJECT,
        /// They count as null.
        NULL
    }

    /// What is done where the store has no values of an entity, or the request has no key.
    public enum OnMissing {
        /// Each field's default is used, and null where it has none.
        DEFAULT,
        /// The row is rejected.
        REJECT,
        /// They count as null.
        NULL
    }

    /// What is done where the store cannot be asked, because it is far away and down, or slow.
    public enum OnUnavailable {
        /// The request is refused.
        REJECT,
        /// Values that the store had before are used, however old, and the row says so; where none are at hand,
        /// each field's default, and null where it has none.
        STALE,
        /// Each field's default is used, and null where it has none.
        DEFAULT,
        /// They count as null.
        NULL
    }
}
