// SPDX-License-Identifier: Apache-2.0
/// What is decided about models and their versions while they are served, as data: what a load is asked for and why it
/// fails, the states of a version, what lies in the repositories, and whether one version may take another's place.
package dev.millrace.lifecycle;
