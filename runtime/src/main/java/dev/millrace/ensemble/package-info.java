// SPDX-License-Identifier: Apache-2.0
/// Models that are made of others: which step needs what, and requests on their way through the steps.
///
/// It knows tensors, but nothing of lanes and calls: a [dev.millrace.ensemble.StepCall] is how it asks a step's model.
package dev.millrace.ensemble;
