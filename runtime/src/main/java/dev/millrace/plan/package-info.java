// SPDX-License-Identifier: Apache-2.0
/// What a lane is made for, as data: how large it is, what its requests have to look like, and which batches it is to
/// be warm for.
package dev.millrace.plan;
