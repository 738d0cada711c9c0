// SPDX-License-Identifier: Apache-2.0
/// Feast's bytes in an online store: keys of entities, names of fields, values, and its `feature_store.yaml`. Written
/// from its formats' descriptions; nothing here talks to a store.
package dev.millrace.feast;
