// SPDX-License-Identifier: Apache-2.0
/// What clients may take of a server: each [dev.millrace.limit.Limit] with its name, its default and what it is counted
/// under, and the values in force in [dev.millrace.limit.Limits]. [dev.millrace.limit.Clients] counts the rows of each
/// client, [dev.millrace.limit.Patience] how long one is waited for, [dev.millrace.limit.ReceivingBudget] bytes on
/// their way.
package dev.millrace.limit;
