// SPDX-License-Identifier: Apache-2.0
/// `millrace model`: models as data. [dev.millrace.tool.ModelCommand] is what the command line sees; what it shows and
/// does is the modules' below.
package dev.millrace.tool;
