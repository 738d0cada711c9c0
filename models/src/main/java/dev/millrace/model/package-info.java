// SPDX-License-Identifier: Apache-2.0
/// What a model is: the files of a repository, the signature that clients see, and whether its rows are independent.
package dev.millrace.model;
