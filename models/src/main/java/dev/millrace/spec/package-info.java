// SPDX-License-Identifier: Apache-2.0
/// What a model's input row is made of, as data: the file `features.yaml` beside a model, read and
/// checked. What each operator means is in `docs/features.md`.
package dev.millrace.spec;
