// SPDX-License-Identifier: Apache-2.0

/// How the example model for handwritten digits is trained, in plain Java and repeatable to the bit.
///
///     Digits ─► DigitsTrainer ─► Classifier ─► model.onnx, goldens, metrics.json
///               ConvNet        └─► test.csv, calibration.csv
///
/// Cold code for offline use: it wants `jackson-core`, which this module declares as optional. Nothing here is
/// thread-safe.
package dev.millrace.zoo.digits;
