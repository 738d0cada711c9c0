// SPDX-License-Identifier: Apache-2.0
package dev.millrace.store;

/// What an acknowledged batch outlasts.
public enum Durability {
    /// The end of the process, however it comes, and of the machine: it is on the disk
    /// (`fdatasync`) before it is acknowledged. Batches that come while the disk is busy share the
    /// next time.
    DISK,
    /// The end of the process, however it comes: the operating system has it. When the machine
    /// loses power the last seconds may be lost; what is left is some state that there was.
    PROCESS
}
