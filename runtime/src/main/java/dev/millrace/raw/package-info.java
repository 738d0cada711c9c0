// SPDX-License-Identifier: Apache-2.0
/// Models that are asked by raw values: a plan in front of a model ([dev.millrace.raw.ServedPlan]), and what requests
/// bring for it ([dev.millrace.raw.RawRows]).
package dev.millrace.raw;
