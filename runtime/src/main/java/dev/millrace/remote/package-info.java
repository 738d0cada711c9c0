// SPDX-License-Identifier: Apache-2.0
/// Stored values that are far away: rows of entities are fetched before a request is worked on
/// ([dev.millrace.remote.RemoteStore]), and read from what came ([dev.millrace.remote.FetchedReader]).
package dev.millrace.remote;
