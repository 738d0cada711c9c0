// SPDX-License-Identifier: Apache-2.0
/// Stored features by themselves, without a model: Feast's `get-online-features` over the server's
/// feature store.
package dev.millrace.online;
