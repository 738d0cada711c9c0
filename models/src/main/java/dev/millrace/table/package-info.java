// SPDX-License-Identifier: Apache-2.0
/// Tables: rows of named columns with types, read from files and written to them.
///
/// [dev.millrace.table.TableFile] opens a CSV, JSON lines or Parquet file and tells its columns; a
/// [dev.millrace.table.TableReader] of it fills a [dev.millrace.table.TableBatch] again and again,
/// and a [dev.millrace.table.TableWriter] takes such batches. Values are held by columns as
/// primitives.
package dev.millrace.table;
