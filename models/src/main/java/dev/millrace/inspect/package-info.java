// SPDX-License-Identifier: Apache-2.0
/// What can be told of a model from its file: [dev.millrace.inspect.ModelReport].
package dev.millrace.inspect;
