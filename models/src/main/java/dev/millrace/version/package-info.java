// SPDX-License-Identifier: Apache-2.0
/// What becomes of a model version before it serves: which content it is ([ModelDigest]), whether it can be loaded
/// without harm ([ModelTrial]), and whether it answers as it should ([Goldens]).
package dev.millrace.version;
