// SPDX-License-Identifier: Apache-2.0
/// A feature store that is kept up to date from Kafka: [dev.millrace.update.Feeds] has a thread for each
/// [dev.millrace.update.FeedConfig] that consumes records, makes rows of them, writes these, and only then commits.
/// `docs/feature-store.md` says what is promised.
///
///     poll ─► MessageFormat ─► RowReader ─► one WriteBatch ─► store.write ─► commit
///                  └──────────────┴─ what is wrong ─► DeadLetters ────────────┘
package dev.millrace.update;
