// SPDX-License-Identifier: Apache-2.0
package dev.millrace.redis;

/// What has become of reads so far, and how things are.
///
/// @param fetched rows that requests got from Redis
/// @param cached rows that they had at hand
/// @param joined rows that another request was waiting for already
/// @param read rows that Redis has answered
/// @param failed rows that could not be had, for whatever reason
/// @param late reads that Redis did not answer in time
/// @param stale older rows that were used because the store could not be asked
/// @param unreadable values that were not as Feast writes them, or of another type than declared
/// @param pending rows that Redis has not answered yet
/// @param keptBytes what rows take that are kept, about
/// @param isConnected whether there is a connection
/// @param isOpen whether reads are not tried for a while, because too many have failed
public record RedisCounts(
        long fetched,
        long cached,
        long joined,
        long read,
        long failed,
        long late,
        long stale,
        long unreadable,
        long pending,
        long keptBytes,
        boolean isConnected,
        boolean isOpen) {}
