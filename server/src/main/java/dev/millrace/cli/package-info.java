// SPDX-License-Identifier: Apache-2.0
/// The `millrace` command line: [dev.millrace.cli.Main] and its subcommands. What belongs to a process is here, such as
/// its signals and where its log goes; whoever embeds the server has their own.
package dev.millrace.cli;
